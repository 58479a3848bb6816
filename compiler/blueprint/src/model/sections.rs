//! What there is one of: TLS, the pages, the address book, storage, retention.

use postkiln_address::Domain;
use serde::{Deserialize, Serialize};

/// Encryption of connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Where the certificate comes from.
    pub certificate: Certificate,
    /// The oldest version spoken: `tls12` or `tls13`.
    pub minimum: TlsVersion,
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Certificate {
    /// The node makes one.
    SelfSigned,
    /// The node asks an authority (RFC 8555).
    Acme {
        /// Whom the authority writes to.
        email: String,
        /// The authority's directory, a URL.
        directory: String,
    },
    /// It is given.
    Own {
        /// The name of the secret that is the key.
        secret: String,
        /// The certificate and those above it, in PEM; nothing else.
        chain: String,
    },
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// Pages in the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// Whether people read mail there.
    pub webmail: bool,
    /// Whether postmasters administer there.
    pub administration: bool,
    /// Language tags (RFC 5646); the first is for browsers that ask for none of them.
    pub languages: Vec<String>,
    /// The name in the address bar.
    pub name: Domain,
}

/// The address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// Whether it is served.
    pub enabled: bool,
    /// The distinguished name everything stands below.
    pub base: String,
    /// Whether it answers without a login.
    pub anonymous: bool,
}

/// Where accounts and mail are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Accounts.
    pub database: Database,
    /// Mail: a path on a file system that several nodes mount; `None`: on the machine's data disk.
    pub shared_mail: Option<String>,
}

/// Where accounts are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Database {
    /// On the machine itself.
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
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Which database.
    pub name: String,
    /// The login.
    pub user: String,
    /// The name of the secret that is its password.
    pub secret: String,
    /// Whether the connection is encrypted and the server's certificate checked.
    pub tls: bool,
}

/// How long things are kept, in seconds; `None` is for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The mail of a user who was taken out.
    pub removed_mailboxes: Option<u64>,
    /// Messages in Trash.
    pub trash: Option<u64>,
    /// Messages in Junk.
    pub junk: Option<u64>,
    /// Log files.
    pub logs: Option<u64>,
    /// How many earlier configurations.
    pub bundles: u32,
}
