//! Types of a mail domain.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_address::{Address, LocalPart};
use postkiln_site::{CatchAll, Managed, Permission, Subaddress};
use serde::{Deserialize, Serialize};

use super::{Dkim, List, Responder, User};

/// A mail domain. Local parts are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailDomain {
    /// The user that gets postmaster's mail.
    pub postmaster: LocalPart,
    /// The users by local part.
    pub users: BTreeMap<LocalPart, User>,
    /// Further addresses with their targets; users' aliases and `postmaster` among them.
    pub aliases: BTreeMap<LocalPart, Vec<Address>>,
    /// The fate of mail for addresses that are not declared.
    pub catch_all: CatchAll,
    /// The separator between an address and a detail.
    pub subaddress: Subaddress,
    /// Mailing lists by local part.
    pub lists: BTreeMap<LocalPart, List>,
    /// Automatic replies by local part.
    pub responders: BTreeMap<LocalPart, Responder>,
    /// The people who may add users, aliases and lists.
    pub managed: Managed,
    /// The largest numbers of users, aliases and so on, made on the node or declared.
    pub limits: Limits,
    /// Permissions that everybody is denied; each user's `deny` holds them too.
    pub deny: BTreeSet<Permission>,
    /// The key that signs the mail of the domain and of its alias domains.
    pub dkim: Option<Dkim>,
}

/// The largest number of everything a domain may have (vpopmail's vlimits); `None` without a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The largest number of users.
    pub users: Option<u64>,
    /// The largest number of aliases whose mail stays in the domain.
    pub aliases: Option<u64>,
    /// The largest number of users and aliases whose mail leaves the domain.
    pub forwards: Option<u64>,
    /// The largest number of autoresponders.
    pub autoresponders: Option<u64>,
    /// The largest number of mailing lists.
    pub lists: Option<u64>,
    /// The size of all mailboxes together, in octets.
    pub quota: Option<u64>,
    /// The quota, in octets, of a user made on the node; declared ones have it already.
    pub default_quota: Option<u64>,
    /// The number of messages of a user made on the node; declared ones have it already.
    pub default_quota_messages: Option<u64>,
}
