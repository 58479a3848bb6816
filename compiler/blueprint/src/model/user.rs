//! Types of a person with a mailbox.

use std::collections::BTreeSet;
use std::fmt;

use postkiln_address::Address;
use postkiln_site::Permission;
use serde::{Deserialize, Serialize};

/// A person with a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The person's full name; empty when none is given.
    pub name: String,
    /// The mailbox's size limit in octets; `None` without a limit.
    pub quota: Option<u64>,
    /// The mailbox's largest number of messages; `None` without a limit.
    pub quota_messages: Option<u64>,
    /// The first password, as a hash or as a secret.
    pub password: Password,
    /// A number that is raised to set the password again, over one the person chose.
    pub password_reset: u32,
    /// Addresses that get the person's mail, beside the mailbox or instead of it.
    pub forward: Option<Forward>,
    /// Permissions that the person is denied, those that the domain denies included.
    pub deny: BTreeSet<Permission>,
    /// Whether the person administers the domain.
    pub admin: bool,
    /// Whether the account is closed: no login, mail is refused. Then `forward` is not obeyed either.
    pub disabled: bool,
}

/// A first password.
#[derive(Clone, Default, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Password {
    /// None: the person cannot log in.
    #[default]
    None,
    /// The password with this hash.
    Hash {
        /// The first 64 bits of the hash's SHA-256. Plans see by it that the hash changed and learn nothing about it,
        /// since the hash holds a random salt.
        fingerprint: String,
        /// The hash in crypt form. Confidential: not in the JSON form.
        #[serde(skip)]
        hash: String,
    },
    /// The secret of this name, once it is delivered.
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

/// Addresses that get a user's mail, beside the mailbox or instead of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The addresses, at least one.
    pub to: Vec<Address>,
    /// Whether the mailbox still gets its copy.
    pub keep: bool,
}
