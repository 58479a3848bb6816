//! [`Blueprint`]: the machine that a site describes, still typed. Complete: rendering decides nothing. Plans compare
//! it.

mod domain;
mod publishing;
mod sections;
mod user;

use std::collections::BTreeMap;
use std::net::IpAddr;

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_bundle::Service;
pub use postkiln_control::list::{List, Posting};
use postkiln_site::SecretVersion;
pub use postkiln_site::{CatchAll, Managed, Permission, Subaddress, TlsVersion};
use serde::{Deserialize, Serialize};

use crate::ObjectId;

pub use domain::{Limits, MailDomain};
pub use publishing::{ClientProtocol, ClientServer, Dkim, Need, Purpose, StsMode, StsPolicy, Zone, ZoneRecord};
pub use sections::{Certificate, Database, DatabaseServer, Ldap, Retention, Storage, Tls, Web};
pub use user::{Forward, Password, User};

/// A whole appliance. Its JSON form (`blueprint.json`) holds no password hash and no signature file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// Version of this model: [`Blueprint::VERSION`].
    pub version: u32,
    /// The number of this generation of data. The user database refuses a smaller one than it has seen.
    pub generation: u64,
    /// The machine's fully qualified name.
    pub hostname: Domain,
    /// Addresses by which others reach the machine, as far as the site tells.
    pub addresses: Vec<IpAddr>,
    /// Public keys of operators, in OpenSSH's form.
    pub operators: Vec<String>,
    /// Every control file by name, with its content.
    pub control: BTreeMap<String, String>,
    /// The mail domains by name.
    pub domains: BTreeMap<Domain, MailDomain>,
    /// Alias domains and the domains they stand for.
    pub alias_domains: BTreeMap<Domain, Domain>,
    /// Renames with chains joined: nothing is renamed twice.
    pub moved: Vec<Move>,
    /// Rules of each listener, as tcprules text.
    pub tcp: BTreeMap<String, String>,
    /// The zones by name, published or not.
    pub zones: BTreeMap<Domain, Zone>,
    /// Certificates, and the oldest version of TLS.
    pub tls: Tls,
    /// The virus scanner and its signatures.
    pub antivirus: Antivirus,
    /// Webmail and administration in the browser.
    pub web: Web,
    /// The address book.
    pub ldap: Ldap,
    /// The place of accounts and the place of mail.
    pub storage: Storage,
    /// How long mail, logs and earlier bundles are kept.
    pub retention: Retention,
    /// The services that `init` starts, in order.
    pub services: Vec<Service>,
    /// The secrets in use, by name: versions and public halves, no values.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretVersion>,
}

impl Blueprint {
    /// The version that this code makes.
    ///
    /// People plan against bundles of years ago. A field that is added carries `#[serde(default…)]`, and the default
    /// is what bundles had in effect before there was the field; the version stays. Any other change of the JSON form
    /// raises the version, and [`Blueprint::read`] brings older forms to the new one. `tests/bases/` holds a bundle
    /// of each version.
    pub const VERSION: u32 = 1;

    /// Reads `blueprint.json`, of this version's bundles and of earlier ones'.
    ///
    /// # Errors
    /// When the text is no blueprint, or one of a newer version of this code.
    pub fn read(json: &[u8]) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        // The whole file is parsed at once, since reading the version first would cost another walk over everything.
        match serde_json::from_slice::<Self>(json) {
            Ok(blueprint) if blueprint.version <= Self::VERSION => Ok(blueprint),
            Ok(blueprint) => Err(Unreadable::Newer(blueprint.version)),
            Err(error) => match serde_json::from_slice::<Head>(json) {
                Ok(head) if head.version > Self::VERSION => Err(Unreadable::Newer(head.version)),
                _ => Err(Unreadable::Form(error)),
            },
        }
    }
}

/// The reason why a blueprint cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The file is of a newer version, this one.
    #[error("its blueprint is of version {0}, which a newer postkiln writes; this one reads up to {version}", version = Blueprint::VERSION)]
    Newer(u32),
    /// The JSON has another form. Unknown fields, too, come from a newer postkiln.
    #[error("its blueprint is damaged, or of a newer postkiln")]
    Form(#[source] serde_json::Error),
}

/// Names of things that are not the same in two blueprints: the local parts in each section of a domain (`users`,
/// `aliases`, …), in the order of a map. A section is absent where all its things have to be compared.
pub type Touched = BTreeMap<Domain, BTreeMap<String, Vec<LocalPart>>>;

/// A rename: an object's id before and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The old id, which is not declared any more.
    pub from: ObjectId,
    /// The new id, of the same kind and declared.
    pub to: ObjectId,
}

/// An automatic reply to mail for one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responder {
    /// The subject of the reply.
    pub subject: String,
    /// The text of the reply.
    pub text: String,
    /// Seconds in which one sender gets at most `replies`.
    pub once_per: u64,
    /// Replies to one sender within that time.
    pub replies: u32,
    /// The sender of the reply; `None`: the address that was written to.
    pub from: Option<Address>,
}

/// The virus scanner; decisions about its verdicts stand in the control file `scanner`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Antivirus {
    /// Whether clamd and freshclam run.
    pub clamav: bool,
    /// The longest message clamd must take, in octets.
    pub stream_limit: u64,
    /// Messages scanned at the same time.
    pub threads: u32,
    /// Whether new signatures are loaded while the old ones are still used.
    pub reload_beside: bool,
    /// How many times a day new signatures are looked for.
    pub checks_per_day: u32,
    /// The host that new signatures are fetched from.
    pub mirror: Domain,
    /// The site's own signature files by name.
    pub signatures: BTreeMap<String, Signature>,
}

/// A signature file of the site.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// SHA-256 of the content, in hex.
    pub sha256: String,
    /// The content; not in the JSON form.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// The checksum stands for the content, as in [`Password`], so that a blueprint read back from JSON equals the
/// original.
impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}
