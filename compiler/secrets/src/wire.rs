//! The vault as the JSON that is encrypted, and back. The README shows its form.

use std::collections::BTreeMap;

use postkiln_site::{DkimAlgorithm, DkimKey, DkimState};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::vault::{DkimPair, Kept, Value, Vault};
use crate::{Secret, SecretsError};

/// The whole vault as serde reads and writes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    format: u32,
    replaces: String,
    recipients: Vec<String>,
    secrets: BTreeMap<String, One>,
}

/// One secret. This is a flat struct instead of an enum because serde reads tagged enums by way of a copy that nobody
/// clears.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    kind: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spki_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<Key>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    number: u32,
    algorithm: DkimAlgorithm,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    public: String,
    value: Secret,
}

impl Vault {
    /// The JSON text that is going to be encrypted.
    pub(crate) fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
        let secrets = self.secrets.iter().map(|(name, kept)| (name.clone(), One::from(kept)));
        let whole = Whole {
            format: FORMAT,
            replaces: self.replaces.clone(),
            recipients: self.recipients.clone(),
            secrets: secrets.collect(),
        };
        // All room is reserved at once: a growing vector would leave copies of secrets behind in memory.
        let mut json = Zeroizing::new(Vec::with_capacity(ROOM));
        serde_json::to_writer(&mut *json, &whole).map_err(|_| SecretsError::Value("cannot be kept"))?;
        Ok(json)
    }

    /// Reads the decrypted JSON.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, SecretsError> {
        // The parser's message may quote the secret it read, so only the place is told.
        let malformed = |error: serde_json::Error| {
            SecretsError::Damaged(format!(
                "its content is malformed at line {} column {}",
                error.line(),
                error.column()
            ))
        };
        let whole: Whole = serde_json::from_slice(json).map_err(malformed)?;
        if whole.format != FORMAT {
            return Err(SecretsError::Damaged(format!(
                "its content has format {}, this version reads 1",
                whole.format
            )));
        }
        let secrets = whole.secrets.into_iter().map(|(name, one)| {
            let kept = one.kept().ok_or_else(|| SecretsError::Damaged(format!("the secret {name:?} is malformed")))?;
            Ok((name, kept))
        });
        let secrets = secrets.collect::<Result<_, SecretsError>>()?;
        Ok(Self { recipients: whole.recipients, secrets, replaces: whole.replaces })
    }
}

impl From<&Kept> for One {
    fn from(kept: &Kept) -> Self {
        let (kind, version) = (kept.value.word().to_owned(), kept.version.clone());
        let empty = Self { kind, version, value: None, spki_sha256: None, keys: None };
        match &kept.value {
            Value::Password(secret) | Value::Token(secret) => Self { value: Some(secret.clone()), ..empty },
            Value::TlsKey { private, spki_sha256 } => {
                Self { value: Some(private.clone()), spki_sha256: Some(spki_sha256.clone()), ..empty }
            }
            Value::Dkim(pairs) => Self { keys: Some(pairs.iter().map(Key::from).collect()), ..empty },
        }
    }
}

impl One {
    fn kept(self) -> Option<Kept> {
        let Self { kind, version, value, spki_sha256, keys } = self;
        let value = match (kind.as_str(), value, spki_sha256, keys) {
            ("password", Some(secret), None, None) => Value::Password(secret),
            ("token", Some(secret), None, None) => Value::Token(secret),
            ("tls-key", Some(private), Some(spki_sha256), None) => Value::TlsKey { private, spki_sha256 },
            ("dkim", None, None, Some(keys)) => {
                Value::Dkim(keys.into_iter().map(Key::pair).collect::<Option<Vec<_>>>()?)
            }
            _ => return None,
        };
        Some(Kept { version, value })
    }
}

impl From<&DkimPair> for Key {
    fn from(pair: &DkimPair) -> Self {
        let DkimKey { number, algorithm, state, public } = pair.key.clone();
        let word = state.word().to_owned();
        let since = if let DkimState::Retiring { since } = state { Some(since) } else { None };
        Self { number, algorithm, state: word, since, public, value: pair.private.clone() }
    }
}

impl Key {
    fn pair(self) -> Option<DkimPair> {
        let state = match (self.state.as_str(), self.since) {
            ("published", None) => DkimState::Published,
            ("signing", None) => DkimState::Signing,
            ("retiring", Some(since)) => DkimState::Retiring { since },
            _ => return None,
        };
        let Self { number, algorithm, public, value, .. } = self;
        Some(DkimPair { key: DkimKey { number, algorithm, state, public }, private: value })
    }
}

const FORMAT: u32 = 1;
/// Octets reserved for the JSON; more than a hundred keys need.
const ROOM: usize = 256 << 10;
