//! A domain of its own.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_address::{Address, LocalPart};
use serde::{Deserialize, Serialize};

use super::{Dkim, List, Permission, Responder, User};

/// A domain of its own. Local parts are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailDomain {
    /// Who gets postmaster's mail.
    pub postmaster: LocalPart,
    /// People.
    pub users: BTreeMap<LocalPart, User>,
    /// Further addresses and where they lead; users' aliases and `postmaster` among them.
    pub aliases: BTreeMap<LocalPart, Vec<Address>>,
    /// What happens to other addresses.
    pub catch_all: CatchAll,
    /// What parts an address from a detail.
    pub subaddress: Subaddress,
    /// Mailing lists.
    pub lists: BTreeMap<LocalPart, List>,
    /// Automatic replies.
    pub responders: BTreeMap<LocalPart, Responder>,
    /// Who may add users, aliases and lists.
    pub managed: Managed,
    /// How much of everything there may be, made on the node or declared.
    pub limits: Limits,
    /// What nobody may do; each user's `deny` holds it too.
    pub deny: BTreeSet<Permission>,
    /// The key that signs its mail, and that of its alias domains.
    pub dkim: Option<Dkim>,
}

/// What happens to addresses that are not declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CatchAll {
    /// Refused at RCPT.
    Reject,
    /// Delivered to this address.
    Deliver(Address),
    /// Accepted and dropped.
    Discard,
}

/// What parts an address from a detail its owner adds (RFC 5233).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subaddress {
    /// `ada+shop` reaches `ada`.
    Plus,
    /// `ada-shop` reaches `ada`.
    Minus,
    /// Every address is what is declared.
    None,
}

/// Who may add users, aliases and lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Managed {
    /// Nobody: the site is the truth.
    Declared,
    /// The domain's administrators, on the node, beside what is declared.
    Delegated,
}

/// How much of everything a domain may have (vpopmail's vlimits); `None` without a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Users.
    pub users: Option<u64>,
    /// Aliases whose mail stays in the domain.
    pub aliases: Option<u64>,
    /// Users and aliases whose mail leaves the domain.
    pub forwards: Option<u64>,
    /// Autoresponders.
    pub autoresponders: Option<u64>,
    /// Mailing lists.
    pub lists: Option<u64>,
    /// Octets of all mailboxes together.
    pub quota: Option<u64>,
    /// The quota, in octets, of a user made on the node; declared ones have it already.
    pub default_quota: Option<u64>,
    /// The number of messages of a user made on the node; declared ones have it already.
    pub default_quota_messages: Option<u64>,
}
