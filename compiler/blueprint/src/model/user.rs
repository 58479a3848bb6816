//! A person with a mailbox.

use std::collections::BTreeSet;
use std::fmt;

use postkiln_address::Address;
use serde::{Deserialize, Serialize};

/// A person with a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The person's name; empty when none is given.
    pub name: String,
    /// Octets; `None` without a limit.
    pub quota: Option<u64>,
    /// Messages; `None` without a limit.
    pub quota_messages: Option<u64>,
    /// The first password.
    pub password: Password,
    /// Raised to set the password again, over one the person chose.
    pub password_reset: u32,
    /// Where mail goes besides, or instead.
    pub forward: Option<Forward>,
    /// What the person may not do, what the domain denies included.
    pub deny: BTreeSet<Permission>,
    /// Whether the person administers the domain.
    pub admin: bool,
    /// Whether the account is closed: no login, mail is refused. Then `forward` is not obeyed either.
    pub disabled: bool,
}

/// How a person logs in at first.
#[derive(Clone, Default, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Password {
    /// Not at all.
    #[default]
    None,
    /// With the password of this hash.
    Hash {
        /// The first 64 bits of the hash's SHA-256: tells plans that it changed, and nothing about it, since the hash
        /// holds a random salt.
        fingerprint: String,
        /// In crypt form. Confidential: not in the JSON form.
        #[serde(skip)]
        hash: String,
    },
    /// With the secret of this name, once it is delivered.
    Secret(String),
}

/// The fingerprint stands for the hash, so that a blueprint read back from its JSON form is equal to the one written.
impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Hash { fingerprint: one, .. }, Self::Hash { fingerprint: two, .. }) => one == two,
            (Self::Secret(one), Self::Secret(two)) => one == two,
            _ => false,
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Hash { fingerprint, .. } => write!(f, "Hash({fingerprint})"),
            Self::Secret(name) => write!(f, "Secret({name})"),
        }
    }
}

/// Where a user's mail goes besides, or instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// Targets.
    pub to: Vec<Address>,
    /// Whether the mailbox still gets its copy.
    pub keep: bool,
}

/// What a person may do unless it is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read mail by POP3.
    Pop3,
    /// Read mail by IMAP.
    Imap,
    /// Read mail in the browser.
    Webmail,
    /// Send mail.
    Submission,
    /// Choose another password.
    PasswordChange,
}
