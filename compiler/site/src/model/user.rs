//! Types of a user: quotas, password, forward, permissions.

use postkiln_address::LocalPart;
use serde::{Deserialize, Serialize};

use super::{Placed, Target};

/// A person with a mailbox.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// The person's full name, for the address book and pages.
    pub name: Option<Placed<String>>,
    /// The mailbox's size limit in octets; `None`: the domain's default.
    pub quota: Option<Placed<u64>>,
    /// The mailbox's largest number of messages; `None`: the domain's default.
    pub quota_messages: Option<Placed<u64>>,
    /// The first password, as a hash or as a secret.
    pub password: Option<Placed<Password>>,
    /// A number that is raised to set the password again, over one the person chose.
    pub password_reset: Option<Placed<u32>>,
    /// Further local parts of the same domain.
    pub aliases: Vec<Placed<LocalPart>>,
    /// Addresses that get copies of the person's mail.
    pub forward: Option<Placed<Forward>>,
    /// Permissions that the person is denied.
    pub deny: Vec<Placed<Permission>>,
    /// Whether the person administers the domain.
    pub admin: Option<Placed<bool>>,
    /// Whether the account is closed: no login, and mail is refused.
    pub disabled: Option<Placed<bool>>,
}

impl User {
    /// Whether the account is closed.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disabled.as_ref().is_some_and(|disabled| disabled.value)
    }
}

/// A first password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// A hash in crypt form: `$argon2id$…`, `$6$…`, `$5$…`. Confidential.
    Hash(String),
    /// The name of the secret that is the password.
    Secret(String),
}

/// Addresses that get a user's mail, beside the mailbox or instead of it.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The addresses, at least one.
    pub to: Vec<Placed<Target>>,
    /// Whether the mailbox still gets its copy.
    pub keep: bool,
}

/// A right that every person has unless it is denied (vpopmail's flags).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read mail by POP3.
    Pop3,
    /// Read mail by IMAP.
    Imap,
    /// Read mail in the browser (webmail).
    Webmail,
    /// Send mail over the submission ports.
    Submission,
    /// Change one's own password.
    PasswordChange,
}

impl Permission {
    /// All permissions with their names in a site.
    pub const ALL: [(&'static str, Self); 5] = [
        ("pop3", Self::Pop3),
        ("imap", Self::Imap),
        ("webmail", Self::Webmail),
        ("submission", Self::Submission),
        ("password_change", Self::PasswordChange),
    ];
}
