//! [`Blueprint`]: what the machine needs, still typed. Complete: rendering decides nothing. What a plan compares.

use std::collections::BTreeMap;
use std::fmt;

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_bundle::Service;
use postkiln_site::SecretVersion;
use serde::{Deserialize, Serialize};

/// A whole appliance. Its JSON form (`blueprint.json`) holds no password hash and no signature file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// Version of this model: [`Blueprint::VERSION`].
    pub version: u32,
    /// The machine's fully qualified name.
    pub hostname: Domain,
    /// Public keys of operators.
    pub operators: Vec<String>,
    /// Every control file by name, with its content.
    pub control: BTreeMap<String, String>,
    /// Domains of their own.
    pub domains: BTreeMap<Domain, MailDomain>,
    /// Alias domains and the domains they stand for.
    pub alias_domains: BTreeMap<Domain, Domain>,
    /// Rules of each listener, as tcprules text.
    pub tcp: BTreeMap<String, String>,
    /// Published zones.
    pub zones: BTreeMap<Domain, Zone>,
    /// Scanning.
    pub antivirus: Antivirus,
    /// What `init` starts.
    pub services: Vec<Service>,
    /// The secrets in use, by name: versions and public halves, no values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretVersion>,
}

impl Blueprint {
    /// The version this code makes.
    pub const VERSION: u32 = 1;
}

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
    /// Mailing lists.
    pub lists: BTreeMap<LocalPart, List>,
    /// Automatic replies.
    pub responders: BTreeMap<LocalPart, Responder>,
}

/// A person with a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The person's name; empty when none is given.
    pub name: String,
    /// Octets; `None` without a limit.
    pub quota: Option<u64>,
    /// The first password.
    pub password: Password,
    /// Where mail goes besides, or instead.
    pub forward: Option<Forward>,
}

/// How a person logs in at first.
#[derive(Clone, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Password {
    /// Not at all.
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

/// A mailing list. This is also the form of `list.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Who gets the posts.
    pub members: Vec<Address>,
    /// Who may post.
    pub post: Posting,
    /// For `moderators`: who they are.
    pub moderators: Vec<Address>,
    /// Put before each subject in brackets.
    pub prefix: Option<String>,
}

/// Who may post to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Posting {
    /// Everybody.
    Anyone,
    /// Members.
    Members,
    /// Moderators.
    Moderators,
}

/// An automatic reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responder {
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
    /// One reply to each sender within this many seconds.
    pub once_per: u64,
}

/// A published zone, without its SOA record, whose serial is made from the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Seconds.
    pub ttl: u32,
    /// Records: ours first, then the site's in its order.
    pub records: Vec<ZoneRecord>,
}

/// A record of a zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneRecord {
    /// Relative to the zone; `@` is the zone itself. Lower case.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, `MX`, `TXT`, `NS`, `SRV`, `CAA`.
    pub kind: String,
    /// Presentation form with names absolute; the text of TXT without quotes.
    pub value: String,
}

/// Scanning; what to do with verdicts stands in the control file `scanner`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Antivirus {
    /// Whether clamd and freshclam run.
    pub clamav: bool,
    /// The longest message clamd must take, in octets.
    pub stream_limit: u64,
    /// The site's own signature files by name.
    pub signatures: BTreeMap<String, Signature>,
}

/// A signature file.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// SHA-256 of the content, in hex.
    pub sha256: String,
    /// The content; not in the JSON form.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// The checksum stands for the content, as in [`Password`].
impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}
