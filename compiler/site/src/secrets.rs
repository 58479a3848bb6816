//! `secrets.lock`: the public facts about a site's secrets. It holds for each secret a random version, its kind, and
//! the public half of a key; the people who can open `secrets.age`, which holds the values; and the digest of that
//! file.
//!
//! Knows nothing about values: reading a site never decrypts. `postkiln secret` writes both files. Start at
//! [`SecretsLock`].

mod beside;
mod print;
mod public;
mod toml;
mod uses;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Placed, suggest};

pub(crate) use beside::{beside, start};
pub use public::{Strength, strength};
pub(crate) use toml::node;
pub use uses::{SecretPurpose, SecretUse, Wanted};

/// The name of the file beside `site.ncl`.
pub const SECRETS_LOCK: &str = "secrets.lock";
/// The name of the encrypted file beside it.
pub const SECRETS_AGE: &str = "secrets.age";

/// The content of `secrets.lock`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretsLock {
    /// Public keys of those who can open `secrets.age`: `age1…`, or an SSH key in OpenSSH's form.
    pub recipients: Vec<Placed<String>>,
    /// SHA-256 of `secrets.age` in hex, when there is one.
    pub sealed: Option<Placed<String>>,
    /// The secrets by their names.
    pub secrets: BTreeMap<String, Placed<SecretVersion>>,
}

/// One secret, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretVersion {
    /// 16 random hex digits, renewed whenever anything about the secret changed.
    pub version: String,
    /// The secret's kind, with the public half of keys.
    pub kind: SecretKind,
}

/// The kind of a secret, with the public half of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretKind {
    /// A password: a person's, or one for another server.
    Password,
    /// Any other text.
    Token,
    /// A private key for TLS.
    TlsKey {
        /// SHA-256 of the SubjectPublicKeyInfo in hex, as TLSA records have it (RFC 7671 §5.1: `3 1 1`).
        spki_sha256: String,
    },
    /// Keys that sign mail (RFC 6376), in the order of their numbers. One of them signs.
    Dkim {
        /// The keys, at least one.
        keys: Vec<DkimKey>,
    },
}

/// One key of a DKIM secret. All of them are published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimKey {
    /// The key's number, from 1 and never used again. Selectors are made from it.
    pub number: u32,
    /// The key's signature algorithm.
    pub algorithm: DkimAlgorithm,
    /// The key's place in its life.
    pub state: DkimState,
    /// The public half as the `p=` of a record.
    pub public: String,
}

/// The signature algorithm of a DKIM key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DkimAlgorithm {
    /// `rsa-sha256` (RFC 6376 §3.3.2).
    Rsa,
    /// `ed25519-sha256` (RFC 8463).
    Ed25519,
}

/// The stages in the life of a DKIM key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum DkimState {
    /// The key's record is in the zone, and the key waits to sign.
    Published,
    /// The key signs.
    Signing,
    /// The key has signed before; its record stays for mail that is still on its way.
    Retiring {
        /// The day (UTC, `2026-11-22`) on which it ceased to sign.
        since: String,
    },
}

impl SecretsLock {
    /// The secret whose name is nearest to a misspelt one.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let known: Vec<&str> = self.secrets.keys().map(String::as_str).collect();
        suggest::nearest(name, known)
    }
}

impl DkimKey {
    /// The selector of this key in a domain with `dkim.selector = base`: `base`, then `base-2`, `base-3`.
    #[must_use]
    pub fn selector(&self, base: &str) -> String {
        if self.number == 1 { base.to_owned() } else { format!("{base}-{}", self.number) }
    }

    /// The text of the key's TXT record (RFC 6376 §3.6.1).
    #[must_use]
    pub fn record(&self) -> String {
        format!("v=DKIM1; k={}; p={}", self.algorithm, self.public)
    }
}

impl SecretVersion {
    /// The keys of a DKIM secret; none of any other.
    #[must_use]
    pub fn dkim_keys(&self) -> &[DkimKey] {
        if let SecretKind::Dkim { keys } = &self.kind { keys } else { &[] }
    }

    /// The key that signs, of a DKIM secret.
    #[must_use]
    pub fn signing(&self) -> Option<&DkimKey> {
        self.dkim_keys().iter().find(|key| key.state == DkimState::Signing)
    }
}

impl SecretKind {
    /// The word for this kind in `secrets.lock`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Token => "token",
            Self::TlsKey { .. } => "tls-key",
            Self::Dkim { .. } => "dkim",
        }
    }
}

impl fmt::Display for DkimAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        })
    }
}

impl DkimState {
    /// The word for this stage in `secrets.lock`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Retiring { .. } => "retiring",
        }
    }
}

/// Whether a text may name a secret: 1 to 64 letters, digits, hyphens, dots, underscores.
#[must_use]
pub fn is_secret_name(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 64 && text.chars().all(is_name)
}

#[cfg(test)]
mod tests;
