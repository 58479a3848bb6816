//! What is in `secrets.age`, opened: every secret with its value, and from it what the lock says. The vault is the truth; the
//! lock is made from it.

use std::collections::BTreeMap;

use postkiln_findings::Place;
use postkiln_site::{
    DkimAlgorithm, DkimKey, DkimState, Placed, SECRETS_LOCK, SecretKind, SecretVersion, SecretsLock, is_secret_name,
};
use rand_core::CryptoRngCore;

use crate::keys::hex;
use crate::{Secret, SecretsError};

/// The opened file.
#[derive(Default)]
pub struct Vault {
    /// Public keys of those it is encrypted to.
    pub recipients: Vec<String>,
    /// By name.
    pub(crate) secrets: BTreeMap<String, Kept>,
    /// SHA-256 in hex of the lock that stood beside the file when it was written; empty: there was none.
    pub(crate) replaces: String,
}

/// A secret with its value.
pub struct Kept {
    /// 16 hex digits.
    pub version: String,
    /// The value.
    pub value: Value,
}

/// The value of a secret, by kind.
pub enum Value {
    /// A password.
    Password(Secret),
    /// Other text.
    Token(Secret),
    /// A private key for TLS.
    TlsKey {
        /// PKCS #8 in PEM.
        private: Secret,
        /// SHA-256 of the SubjectPublicKeyInfo in hex.
        spki_sha256: String,
    },
    /// DKIM keys in the order of their numbers.
    Dkim(Vec<DkimPair>),
}

/// A DKIM key with its private half.
pub struct DkimPair {
    /// What the lock says of it.
    pub key: DkimKey,
    /// PKCS #8 in PEM.
    pub private: Secret,
}

impl Value {
    /// The word of the lock.
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
    /// One without secrets, for these people.
    #[must_use]
    pub fn empty(recipients: Vec<String>) -> Self {
        Self { recipients, ..Self::default() }
    }

    /// A secret by name.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&Kept, SecretsError> {
        self.secrets.get(name).ok_or_else(|| SecretsError::Absent(name.to_owned()))
    }

    /// Every secret by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Kept)> {
        self.secrets.iter().map(|(name, kept)| (name.as_str(), kept))
    }

    /// Sets a secret, new or in place of one of the same kind, under a fresh version.
    ///
    /// # Errors
    /// When the name cannot be one, or the secret is there and of another kind.
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

    /// Takes a secret out.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove(&mut self, name: &str) -> Result<(), SecretsError> {
        self.secrets.remove(name).map(drop).ok_or_else(|| SecretsError::Absent(name.to_owned()))
    }

    /// The first key of a new DKIM secret. It signs at once: until its record is seen, mail is as good as unsigned, which it
    /// was before.
    #[must_use]
    pub fn first_dkim(algorithm: DkimAlgorithm, pair: crate::KeyPair) -> Value {
        let key = DkimKey { number: 1, algorithm, state: DkimState::Signing, public: pair.public };
        Value::Dkim(vec![DkimPair { key, private: pair.private }])
    }

    /// What everybody may know, except the digest of the encrypted file.
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

/// A random version: 64 bits.
pub fn fresh_version(chance: &mut impl CryptoRngCore) -> String {
    let mut bytes = [0; 8];
    chance.fill_bytes(&mut bytes);
    hex(&bytes)
}

/// A lock that is only printed has no places.
pub(crate) fn placed<T>(value: T) -> Placed<T> {
    Placed { value, place: Place { file: SECRETS_LOCK.into(), line: 1, column: 1, end_line: 1, end_column: 1 } }
}
