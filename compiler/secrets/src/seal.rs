//! Encryption and decryption: the one place that names the age crate's cryptography. Knows nothing about the content.

use std::io::{Read, Write};

use age::{DecryptError, Decryptor, Encryptor};
use zeroize::Zeroizing;

use crate::SecretsError;
use crate::identity::{Identity, recipient};

/// Encrypts the octets so that each of the recipients can open them.
pub(crate) fn seal(plain: &[u8], recipients: &[String]) -> Result<Vec<u8>, SecretsError> {
    let recipients = recipients.iter().map(|text| recipient(text)).collect::<Result<Vec<_>, _>>()?;
    let recipients = recipients.iter().map(|recipient| &**recipient as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients).map_err(|_| SecretsError::NoRecipient)?;
    let mut sealed = Vec::new();
    let write = |sealed: &mut Vec<u8>| -> std::io::Result<()> {
        let mut writer = encryptor.wrap_output(sealed)?;
        writer.write_all(plain)?;
        writer.finish()?;
        Ok(())
    };
    write(&mut sealed).map_err(|error| SecretsError::Damaged(error.to_string()))?;
    Ok(sealed)
}

/// Decrypts a file that [`seal`], or any other program for the format, has made.
pub(crate) fn open(sealed: &[u8], identity: &Identity) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
    let decryptor = Decryptor::new(sealed).map_err(why)?;
    let mut reader = decryptor.decrypt(identity.all()).map_err(why)?;
    // All room is reserved at once: a growing vector would leave copies of secrets behind in memory.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain).map_err(|error| SecretsError::Damaged(error.to_string()))?;
    Ok(plain)
}

fn why(error: DecryptError) -> SecretsError {
    match error {
        DecryptError::NoMatchingKeys => SecretsError::NotARecipient,
        DecryptError::InvalidMac | DecryptError::DecryptionFailed => {
            SecretsError::Damaged("it is damaged, or was changed by somebody who cannot open it".to_owned())
        }
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => {
            SecretsError::Damaged("it is not in the age format".to_owned())
        }
        DecryptError::KeyDecryptionFailed => {
            SecretsError::Damaged("the passphrase of the identity is wrong".to_owned())
        }
        other => SecretsError::Damaged(other.to_string()),
    }
}
