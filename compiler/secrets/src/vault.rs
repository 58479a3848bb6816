//! The decrypted content of `secrets.age`: every secret with its value. The vault is the truth; `secrets.lock` is made
//! from it.

use std::collections::BTreeMap;

use postkiln_findings::Place;
use postkiln_site::{
    DkimAlgorithm, DkimKey, DkimState, Placed, SECRETS_LOCK, SecretKind, SecretVersion, SecretsLock, is_secret_name,
};
use rand_core::CryptoRngCore;

use crate::keys::hex;
use crate::{Secret, SecretsError};

/// The decrypted content of `secrets.age`.
#[derive(Default)]
pub struct Vault {
    /// Public keys of the people the file is encrypted to.
    pub recipients: Vec<String>,
    /// The secrets by their names.
    pub(crate) secrets: BTreeMap<String, Kept>,
    /// SHA-256 in hex of the lock that stood beside the file when it was written; empty when there was none.
    pub(crate) replaces: String,
}

/// One secret of the vault.
pub struct Kept {
    /// 16 random hex digits, renewed whenever anything about the secret changes.
    pub version: String,
    /// The secret's value, of one of four kinds.
    pub value: Value,
}

/// The value of a secret, by kind.
pub enum Value {
    /// A password, of a person or for another server.
    Password(Secret),
    /// Any other text.
    Token(Secret),
    /// A private key for TLS.
    TlsKey {
        /// The private key as PKCS #8 in PEM.
        private: Secret,
        /// SHA-256 of the SubjectPublicKeyInfo in hex.
        spki_sha256: String,
    },
    /// DKIM keys in the order of their numbers.
    Dkim(Vec<DkimPair>),
}

/// A DKIM key with its private half.
pub struct DkimPair {
    /// The public part, as the lock states it.
    pub key: DkimKey,
    /// The private key as PKCS #8 in PEM.
    pub private: Secret,
}

impl Value {
    /// The word for this kind in `secrets.lock`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::Token(_) => "token",
            Self::TlsKey { .. } => "tls-key",
            Self::Dkim(_) => "dkim",
        }
    }
}

impl Vault {
    /// A vault without secrets, for these recipients.
    #[must_use]
    pub fn empty(recipients: Vec<String>) -> Self {
        Self { recipients, ..Self::default() }
    }

    /// The secret of this name.
    ///
    /// # Errors
    /// When the vault holds none of this name.
    pub fn get(&self, name: &str) -> Result<&Kept, SecretsError> {
        self.secrets.get(name).ok_or_else(|| SecretsError::Absent(name.to_owned()))
    }

    /// Every secret by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Kept)> {
        self.secrets.iter().map(|(name, kept)| (name.as_str(), kept))
    }

    /// Sets a secret under a fresh version: a new one, or in place of one of the same kind.
    ///
    /// # Errors
    /// When the name is not allowed, or a secret of this name has another kind.
    pub fn set(&mut self, name: &str, value: Value, chance: &mut impl CryptoRngCore) -> Result<(), SecretsError> {
        if !is_secret_name(name) {
            return Err(SecretsError::Name(name.to_owned()));
        }
        if let Some(present) = self.secrets.get(name).filter(|present| present.value.word() != value.word()) {
            let (is, wanted) = (present.value.word(), value.word());
            return Err(SecretsError::Kind { name: name.to_owned(), is, wanted });
        }
        self.secrets.insert(name.to_owned(), Kept { version: fresh_version(chance), value });
        Ok(())
    }

    /// Removes a secret from the vault.
    ///
    /// # Errors
    /// When the vault holds none of this name.
    pub fn remove(&mut self, name: &str) -> Result<(), SecretsError> {
        self.secrets.remove(name).map(drop).ok_or_else(|| SecretsError::Absent(name.to_owned()))
    }

    /// The first key of a new DKIM secret. It signs at once: until receivers see its record, mail counts as unsigned,
    /// which it was before.
    #[must_use]
    pub fn first_dkim(algorithm: DkimAlgorithm, pair: crate::KeyPair) -> Value {
        let key = DkimKey { number: 1, algorithm, state: DkimState::Signing, public: pair.public };
        Value::Dkim(vec![DkimPair { key, private: pair.private }])
    }

    /// The public part of the vault, except the digest of the encrypted file.
    #[must_use]
    pub fn lock(&self) -> SecretsLock {
        let secrets = self.secrets.iter().map(|(name, kept)| {
            let kind = match &kept.value {
                Value::Password(_) => SecretKind::Password,
                Value::Token(_) => SecretKind::Token,
                Value::TlsKey { spki_sha256, .. } => SecretKind::TlsKey { spki_sha256: spki_sha256.clone() },
                Value::Dkim(pairs) => SecretKind::Dkim { keys: pairs.iter().map(|pair| pair.key.clone()).collect() },
            };
            (name.clone(), placed(SecretVersion { version: kept.version.clone(), kind }))
        });
        let recipients = self.recipients.iter().cloned().map(placed).collect();
        SecretsLock { recipients, sealed: None, secrets: secrets.collect() }
    }
}

/// A random version: 64 bits in hex.
pub fn fresh_version(chance: &mut impl CryptoRngCore) -> String {
    let mut bytes = [0; 8];
    chance.fill_bytes(&mut bytes);
    hex(&bytes)
}

/// Wraps a value without a place, since a lock that is only printed has none.
pub(crate) fn placed<T>(value: T) -> Placed<T> {
    Placed { value, place: Place { file: SECRETS_LOCK.into(), line: 1, column: 1, end_line: 1, end_column: 1 } }
}
