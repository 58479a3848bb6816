//! Identities that can open secrets: private keys in files outside the site, and the public keys that belong to them.
//!
//! Two kinds: age's own (`AGE-SECRET-KEY-1…`, as `age-keygen` writes them) and SSH keys in OpenSSH's form.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use age::secrecy::{ExposeSecret, SecretString};
use age::{IdentityFile, ssh, x25519};
use zeroize::Zeroizing;

use crate::{Secret, SecretsError};

/// The private keys of one file.
pub struct Identity(Vec<Box<dyn age::Identity>>);

/// Asks a person for the passphrase of a private key; the text names the key.
pub type Ask = fn(&str) -> Option<Secret>;

impl Identity {
    /// Reads a file of private keys. `ask` is used for an SSH key that has a passphrase, when it is needed.
    ///
    /// # Errors
    /// When the file cannot be read, others can read it, or it holds no private key.
    pub fn read(path: &Path, ask: Ask) -> Result<Self, SecretsError> {
        let failed = |source| SecretsError::Io { what: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
            return Err(SecretsError::ExposedIdentity(path.to_owned()));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST));
        file.take(LARGEST as u64).read_to_end(&mut bytes).map_err(failed)?;
        Self::parse(&bytes, path, ask)
    }

    fn parse(bytes: &[u8], path: &Path, ask: Ask) -> Result<Self, SecretsError> {
        let none = |why: &str| SecretsError::NoIdentity { path: path.to_owned(), why: why.to_owned() };
        if bytes.starts_with(b"-----BEGIN") {
            let name = path.display().to_string();
            let key =
                ssh::Identity::from_buffer(bytes, Some(name)).map_err(|_| none("it is no SSH key of OpenSSH's"))?;
            if let ssh::Identity::Unsupported(_) = key {
                return Err(none("it is an SSH key of a kind that cannot decrypt; ssh-ed25519 and ssh-rsa can"));
            }
            return Ok(Self(vec![Box::new(key.with_callbacks(Asking(ask)))]));
        }
        let file = IdentityFile::from_buffer(bytes).map_err(|_| none("it is neither age's nor an SSH key"))?;
        let keys = file.into_identities().map_err(|_| none("its keys cannot be used"))?;
        if keys.is_empty() {
            return Err(none("it is empty"));
        }
        Ok(Self(keys.into_iter().map(|key| key as Box<dyn age::Identity>).collect()))
    }

    /// Makes a private key and writes it into a new file that only its owner can read. Gives the public key.
    ///
    /// # Errors
    /// When the file exists, or cannot be written.
    pub fn make(path: &Path) -> Result<String, SecretsError> {
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AlreadyExists => SecretsError::Exists(path.to_owned()),
            _ => SecretsError::Io { what: "write", path: path.to_owned(), source },
        };
        let key = x25519::Identity::generate();
        let public = key.to_public().to_string();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let private = key.to_string();
        let head =
            format!("# Opens secrets of Postkiln sites. Keep a copy where only you find it.\n# public key: {public}\n");
        file.write_all(head.as_bytes()).map_err(failed)?;
        file.write_all(private.expose_secret().as_bytes()).map_err(failed)?;
        file.write_all(b"\n").map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(public)
    }

    /// The public keys that belong to a file of age's own private keys; none for an SSH key, which has its `.pub` file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn publics(path: &Path) -> Result<Vec<String>, SecretsError> {
        let failed = |source| SecretsError::Io { what: "read", path: path.to_owned(), source };
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
        let keys = text.lines().filter_map(|line| line.parse::<x25519::Identity>().ok());
        Ok(keys.map(|key| key.to_public().to_string()).collect())
    }

    /// Every private key of the file.
    pub(crate) fn all(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|key| &**key)
    }
}

/// Whether secrets can be encrypted to this public key.
#[must_use]
pub fn is_recipient(text: &str) -> bool {
    recipient(text).is_ok()
}

/// A public key as text: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`.
pub(crate) fn recipient(text: &str) -> Result<Box<dyn age::Recipient>, SecretsError> {
    let unknown = || SecretsError::Recipient(text.to_owned());
    // Public keys stand in quotes in the lock, so they must not hold quotes or backslashes.
    if text.chars().any(|c| !matches!(c, ' '..='~') || matches!(c, '"' | '\\')) {
        return Err(unknown());
    }
    if text.starts_with("age1") {
        return Ok(Box::new(text.parse::<x25519::Recipient>().map_err(|_| unknown())?));
    }
    Ok(Box::new(text.parse::<ssh::Recipient>().map_err(|_| unknown())?))
}

/// Answers the age crate when an SSH key has a passphrase.
#[derive(Clone)]
struct Asking(Ask);

impl age::Callbacks for Asking {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        (self.0)(description).map(|passphrase| SecretString::from(passphrase.expose().to_owned()))
    }
}

/// The size limit of an identity file, in octets: larger than any key, small enough to read at once.
const LARGEST: usize = 256 << 10;
