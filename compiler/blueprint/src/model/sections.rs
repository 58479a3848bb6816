//! Types of sections that exist once: TLS, the pages, the address book, storage, retention.

use postkiln_address::Domain;
use postkiln_site::TlsVersion;
use serde::{Deserialize, Serialize};

/// Certificates, and the oldest version of TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The source of the certificate.
    pub certificate: Certificate,
    /// The oldest version of TLS that is spoken: `tls12` or `tls13`.
    pub minimum: TlsVersion,
}

/// The source of the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Certificate {
    /// The node makes one, which nobody else vouches for.
    SelfSigned,
    /// The node asks an authority (RFC 8555).
    Acme {
        /// The address that the authority writes to.
        email: String,
        /// The authority's directory, a URL.
        directory: String,
    },
    /// The person gives the certificate.
    Own {
        /// The name of the secret that is the private key.
        secret: String,
        /// The certificate and those above it, in PEM; nothing else.
        chain: String,
    },
}

/// Webmail and administration in the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// Whether people can read mail in the browser.
    pub webmail: bool,
    /// Whether postmasters can administer domains in the browser.
    pub administration: bool,
    /// Language tags (RFC 5646); the first is for browsers that ask for none of them.
    pub languages: Vec<String>,
    /// The host name of the pages.
    pub name: Domain,
}

/// The address book for mail programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// Whether the address book is served.
    pub enabled: bool,
    /// The distinguished name that all entries stand below.
    pub base: String,
    /// Whether the address book answers without a login.
    pub anonymous: bool,
}

/// The place of accounts and the place of mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The database of accounts.
    pub database: Database,
    /// The folder of mail on a file system that several nodes mount; `None`: on the machine's data disk.
    pub shared_mail: Option<String>,
}

/// The database that holds accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Database {
    /// A SQLite file on the machine itself.
    Sqlite,
    /// A MariaDB or MySQL server.
    Mariadb(DatabaseServer),
    /// A PostgreSQL server.
    Postgresql(DatabaseServer),
}

/// A database server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseServer {
    /// The server's name or address.
    pub host: String,
    /// The server's TCP port.
    pub port: u16,
    /// The name of the database on the server.
    pub name: String,
    /// The user name for the login.
    pub user: String,
    /// The name of the secret that is the password.
    pub secret: String,
    /// Whether the connection is encrypted and the server's certificate checked.
    pub tls: bool,
}

/// How long things are kept, in seconds; `None` means for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Seconds that the mail of a removed user is kept.
    pub removed_mailboxes: Option<u64>,
    /// Seconds that messages stay in Trash.
    pub trash: Option<u64>,
    /// Seconds that messages stay in Junk.
    pub junk: Option<u64>,
    /// Seconds that log files are kept.
    pub logs: Option<u64>,
    /// The number of earlier bundles that the node keeps.
    pub bundles: u32,
}
