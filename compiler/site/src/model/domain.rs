//! Types of the section `domains`.

use std::collections::BTreeMap;

use postkiln_address::{Address, Domain, LocalPart};
use serde::{Deserialize, Serialize};

use super::{Autoresponder, List, Permission, Placed, Publishing, User};

/// The value under a domain's name.
#[derive(Clone, Debug)]
pub enum DomainEntry {
    /// A domain with users and settings of its own.
    Mail(Box<MailDomain>),
    /// Every address of it is the same address in another domain.
    AliasOf(Placed<Domain>),
}

/// A domain with users, aliases, lists.
#[derive(Clone, Debug)]
pub struct MailDomain {
    /// The user that gets postmaster's mail.
    pub postmaster: Placed<LocalPart>,
    /// The users by local part.
    pub users: BTreeMap<LocalPart, Placed<User>>,
    /// The aliases: from local part to one or more targets.
    pub aliases: BTreeMap<LocalPart, Placed<Vec<Placed<Target>>>>,
    /// The fate of mail for addresses that are not declared.
    pub catch_all: Placed<CatchAll>,
    /// The separator between an address and a detail that its owner adds.
    pub subaddress: Placed<Subaddress>,
    /// Static mailing lists by local part.
    pub lists: BTreeMap<LocalPart, Placed<List>>,
    /// Automatic replies by local part; a user of the same name keeps getting the mail.
    pub autoresponders: BTreeMap<LocalPart, Placed<Autoresponder>>,
    /// The people who may add users, aliases and lists.
    pub managed: Placed<Managed>,
    /// The largest numbers of users, aliases and so on.
    pub limits: Limits,
    /// Permissions that are denied to everybody in the domain.
    pub deny: Vec<Placed<Permission>>,
    /// The settings about the domain that others see: SPF, DMARC and the like.
    pub publishing: Publishing,
}

/// A target written as `ada` (same domain) or `ada@example.org`: resolved here to a full address.
pub type Target = Address;

/// The fate of mail for addresses that are not declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CatchAll {
    /// Mail for them is refused at RCPT.
    Reject,
    /// Mail for them is delivered to this address.
    Deliver(Target),
    /// Mail for them is accepted and dropped.
    Discard,
}

/// The separator between an address and a detail (RFC 5233): `ada+anything` reaches `ada`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subaddress {
    /// A plus sign: `ada+shop`.
    Plus,
    /// A hyphen, as qmail and vpopmail have it: `ada-shop`.
    Minus,
    /// No separator: every address is taken as it is declared.
    None,
}

impl Subaddress {
    /// The sign itself.
    #[must_use]
    pub const fn separator(self) -> Option<char> {
        match self {
            Self::Plus => Some('+'),
            Self::Minus => Some('-'),
            Self::None => None,
        }
    }
}

/// The people who may add users, aliases and lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Managed {
    /// Nobody: the site is the truth.
    Declared,
    /// The domain's administrators, on the node, beside what the site declares.
    Delegated,
}

/// The largest number of everything a domain may have; `None` without a limit.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// The largest number of users.
    pub users: Option<Placed<u64>>,
    /// The largest number of aliases with targets in the domain.
    pub aliases: Option<Placed<u64>>,
    /// The largest number of users and aliases whose mail leaves the domain.
    pub forwards: Option<Placed<u64>>,
    /// The largest number of autoresponders.
    pub autoresponders: Option<Placed<u64>>,
    /// The largest number of mailing lists.
    pub lists: Option<Placed<u64>>,
    /// The size of all mailboxes together, in octets.
    pub quota: Option<Placed<u64>>,
    /// Whether the quotas of users may be more than that together.
    pub overcommit: bool,
    /// The quota, in octets, of users who have none of their own.
    pub default_quota: Option<Placed<u64>>,
    /// The largest number of messages of users who have none of their own.
    pub default_quota_messages: Option<Placed<u64>>,
}
