//! What a site says of a person.

use postkiln_address::LocalPart;

use super::{Placed, Target};

/// A person with a mailbox.
#[derive(Clone, Debug)]
pub struct User {
    /// The person's name.
    pub name: Option<Placed<String>>,
    /// Octets; `None`: the domain's default.
    pub quota: Option<Placed<u64>>,
    /// Messages; `None`: the domain's default.
    pub quota_messages: Option<Placed<u64>>,
    /// How the person logs in.
    pub password: Option<Placed<Password>>,
    /// Raised to set the password again, over one the person chose.
    pub password_reset: Option<Placed<u32>>,
    /// Further local parts of the same domain.
    pub aliases: Vec<Placed<LocalPart>>,
    /// Where copies go.
    pub forward: Option<Placed<Forward>>,
    /// What the person may not do.
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

/// How a person logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// A hash in crypt form: `$argon2id$…`, `$6$…`, `$5$…`. Confidential.
    Hash(String),
    /// The name of a secret.
    Secret(String),
}

/// Where a user's mail goes besides, or instead.
#[derive(Clone, Debug)]
pub struct Forward {
    /// Targets.
    pub to: Vec<Placed<Target>>,
    /// Whether the mailbox still gets its copy.
    pub keep: bool,
}

/// What a person may do unless it is denied (vpopmail's flags).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

impl Permission {
    /// Each with the name it has in a site.
    pub const ALL: [(&'static str, Self); 5] = [
        ("pop3", Self::Pop3),
        ("imap", Self::Imap),
        ("webmail", Self::Webmail),
        ("submission", Self::Submission),
        ("password_change", Self::PasswordChange),
    ];
}
