//! `web`, `ldap`, `storage`, `retention`: the services around mail.

use std::net::IpAddr;

use postkiln_address::Domain;

use crate::Placed;

/// Webmail and administration in the browser.
#[derive(Clone, Debug)]
pub struct Web {
    /// Whether people can read mail in the browser.
    pub webmail: Placed<bool>,
    /// Whether postmasters can administer domains in the browser.
    pub administration: Placed<bool>,
    /// The languages, at least one; the first is for browsers that ask for none of them.
    pub languages: Placed<Vec<Language>>,
    /// The host name of the pages.
    pub name: Option<Placed<Domain>>,
}

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, `en`.
    En,
    /// Simplified Chinese, `zh-CN`.
    ZhCn,
}

/// The address book for mail programs.
#[derive(Clone, Debug)]
pub struct Ldap {
    /// Whether the address book is served.
    pub enabled: Placed<bool>,
    /// The distinguished name that all entries stand below.
    pub base: Option<Placed<String>>,
    /// Whether the address book answers without a login.
    pub anonymous: Placed<bool>,
}

/// The places of accounts and mail.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The database of accounts.
    pub database: Placed<Database>,
    /// The place of mailboxes.
    pub mail: Placed<MailPlace>,
}

/// The database that holds accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file on the machine itself.
    Sqlite,
    /// A MariaDB or MySQL server.
    Mariadb(DatabaseServer),
    /// A PostgreSQL server.
    Postgresql(DatabaseServer),
}

/// A database server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseServer {
    /// The server's name or address.
    pub host: Placed<DatabaseHost>,
    /// The server's TCP port.
    pub port: u16,
    /// The name of the database on the server.
    pub name: String,
    /// The user name for the login.
    pub user: String,
    /// The name of the secret that is the password.
    pub password: Placed<String>,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// The name or the address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseHost {
    /// A name, looked up in the DNS.
    Name(Domain),
    /// An address, used without a look-up.
    Address(IpAddr),
}

/// The place of mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailPlace {
    /// On the machine's data disk.
    Local,
    /// Below this path of a file system that several nodes mount.
    Shared {
        /// The absolute path of the folder.
        path: Placed<String>,
    },
}

/// How long things are kept; `None` means for ever.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Seconds that the mail of a removed user is kept.
    pub removed_mailboxes: Placed<Option<u64>>,
    /// Seconds that messages stay in Trash.
    pub trash: Placed<Option<u64>>,
    /// Seconds that messages stay in Junk.
    pub junk: Placed<Option<u64>>,
    /// Seconds that log files are kept.
    pub logs: Placed<Option<u64>>,
    /// The number of earlier bundles that the node keeps.
    pub bundles: Placed<u32>,
}
