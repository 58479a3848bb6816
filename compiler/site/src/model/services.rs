//! `web`, `ldap`, `storage`, `retention`: what surrounds the mail.

use std::net::IpAddr;

use postkiln_address::Domain;

use crate::Placed;

/// Pages in the browser.
#[derive(Clone, Debug)]
pub struct Web {
    /// Whether people read mail there.
    pub webmail: Placed<bool>,
    /// Whether postmasters administer there.
    pub administration: Placed<bool>,
    /// The first is for browsers that ask for none of them; at least one.
    pub languages: Placed<Vec<Language>>,
    /// The name in the address bar.
    pub name: Option<Placed<Domain>>,
}

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Simplified Chinese.
    ZhCn,
}

/// The address book for mail programs.
#[derive(Clone, Debug)]
pub struct Ldap {
    /// Whether it is served.
    pub enabled: Placed<bool>,
    /// The distinguished name everything stands below.
    pub base: Option<Placed<String>>,
    /// Whether it answers without a login.
    pub anonymous: Placed<bool>,
}

/// Where accounts and mail are kept.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Accounts.
    pub database: Placed<Database>,
    /// Mail.
    pub mail: Placed<MailPlace>,
}

/// Where accounts are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// On the machine itself.
    Sqlite,
    /// A MariaDB or MySQL server.
    Mariadb(DatabaseServer),
    /// A PostgreSQL server.
    Postgresql(DatabaseServer),
}

/// A database server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseServer {
    /// Its name or address.
    pub host: Placed<DatabaseHost>,
    /// Its port.
    pub port: u16,
    /// Which database.
    pub name: String,
    /// The login.
    pub user: String,
    /// The name of the secret that is its password.
    pub password: Placed<String>,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// A server's name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseHost {
    /// Looked up.
    Name(Domain),
    /// No look-up.
    Address(IpAddr),
}

/// Where mail is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailPlace {
    /// On the machine's data disk.
    Local,
    /// Below this path of a file system that several nodes mount.
    Shared {
        /// Absolute.
        path: Placed<String>,
    },
}

/// How long things are kept; `None` is for ever.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Seconds: the mail of a user who was taken out.
    pub removed_mailboxes: Placed<Option<u64>>,
    /// Seconds: messages in Trash.
    pub trash: Placed<Option<u64>>,
    /// Seconds: messages in Junk.
    pub junk: Placed<Option<u64>>,
    /// Seconds: log files.
    pub logs: Placed<Option<u64>>,
    /// Earlier configurations on the node.
    pub bundles: Placed<u32>,
}
