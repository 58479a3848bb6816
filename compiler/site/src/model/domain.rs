//! What a site says of a domain.

use std::collections::BTreeMap;

use postkiln_address::{Address, Domain, LocalPart};

use super::{Autoresponder, List, Permission, Placed, Publishing, User};

/// What stands under a domain's name.
#[derive(Clone, Debug)]
pub enum DomainEntry {
    /// A domain of its own.
    Mail(Box<MailDomain>),
    /// Every address of it is the same address in another domain.
    AliasOf(Placed<Domain>),
}

/// A domain with users, aliases, lists.
#[derive(Clone, Debug)]
pub struct MailDomain {
    /// The user that gets postmaster's mail.
    pub postmaster: Placed<LocalPart>,
    /// By local part.
    pub users: BTreeMap<LocalPart, Placed<User>>,
    /// Local part to one or more targets.
    pub aliases: BTreeMap<LocalPart, Placed<Vec<Placed<Target>>>>,
    /// What happens to addresses that are not declared.
    pub catch_all: Placed<CatchAll>,
    /// What parts an address from a detail that its owner adds.
    pub subaddress: Placed<Subaddress>,
    /// Static lists: by local part.
    pub lists: BTreeMap<LocalPart, Placed<List>>,
    /// By local part; a user of the same name keeps getting the mail.
    pub autoresponders: BTreeMap<LocalPart, Placed<Autoresponder>>,
    /// Who may add users, aliases and lists.
    pub managed: Placed<Managed>,
    /// How much of everything there may be.
    pub limits: Limits,
    /// What nobody of the domain may do.
    pub deny: Vec<Placed<Permission>>,
    /// What the world is told about its mail.
    pub publishing: Publishing,
}

/// A target written as `ada` (same domain) or `ada@example.org`: resolved here to a full address.
pub type Target = Address;

/// What happens to addresses that are not declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatchAll {
    /// Refused at RCPT.
    Reject,
    /// Delivered to this address.
    Deliver(Target),
    /// Accepted and dropped.
    Discard,
}

/// What parts an address from a detail (RFC 5233): `ada+anything` reaches `ada`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subaddress {
    /// `ada+shop`.
    Plus,
    /// `ada-shop`, as qmail and vpopmail have it.
    Minus,
    /// Nothing: every address is what is declared.
    None,
}

/// Who may add users, aliases and lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed {
    /// Nobody: the site is the truth.
    Declared,
    /// The domain's administrators, on the node, beside what the site declares.
    Delegated,
}

/// How much of everything a domain may have; `None` without a limit.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Users.
    pub users: Option<Placed<u64>>,
    /// Aliases with targets in the domain.
    pub aliases: Option<Placed<u64>>,
    /// Users and aliases whose mail leaves the domain.
    pub forwards: Option<Placed<u64>>,
    /// Autoresponders.
    pub autoresponders: Option<Placed<u64>>,
    /// Mailing lists.
    pub lists: Option<Placed<u64>>,
    /// Octets of all mailboxes together.
    pub quota: Option<Placed<u64>>,
    /// The quota, in octets, of users who have none of their own.
    pub default_quota: Option<Placed<u64>>,
    /// The largest number of messages of users who have none of their own.
    pub default_quota_messages: Option<Placed<u64>>,
}
