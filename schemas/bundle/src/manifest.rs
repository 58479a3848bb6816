//! `manifest.json`: the files of a bundle with their hashes, and the table of services that `init` obeys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Role, User};

/// The bundle's table of contents. `init` reads this and no other configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: [`Manifest::FORMAT`].
    pub format: u32,
    /// Version of the site schema the bundle was compiled from.
    pub schema: u32,
    /// SHA-256 in hex over this manifest with an empty identity: names the whole content.
    pub identity: String,
    /// The appliance's host name.
    pub hostname: String,
    /// Every file but `manifest.json`, sorted by path.
    pub files: Vec<FileEntry>,
    /// What `init` starts, in this order.
    pub services: Vec<Service>,
}

impl Manifest {
    /// The one format this code reads and writes.
    pub const FORMAT: u32 = 1;
    /// The manifest's name within the bundle.
    pub const NAME: &'static str = "manifest.json";

    /// Sorts the files and names the whole. A path given twice keeps the last entry.
    #[must_use]
    pub fn new(schema: u32, hostname: &str, files: Vec<FileEntry>, services: Vec<Service>) -> Self {
        let sorted: BTreeMap<String, FileEntry> = files.into_iter().map(|file| (file.path.clone(), file)).collect();
        let files = sorted.into_values().collect();
        let (identity, hostname) = (String::new(), hostname.to_owned());
        let mut manifest = Self { format: Self::FORMAT, schema, identity, hostname, files, services };
        manifest.identity = sha256_hex(&manifest.print());
        manifest
    }

    /// The bytes of `manifest.json`: pretty JSON and a newline.
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Whether it is what its identity names.
    pub(crate) fn is_whole(&self) -> bool {
        sha256_hex(&Self { identity: String::new(), ..self.clone() }.print()) == self.identity
    }
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let digits = Sha256::digest(bytes).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// One file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path below the bundle's root, with `/`, never absolute, no `.` or `..`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, in hex.
    pub sha256: String,
    /// Who may read it on the node.
    pub owner: Owner,
}

/// Who may read a file of the bundle on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Owned by root, mode 0644.
    Everyone,
    /// Owned by `directory`, mode 0600: holds password hashes.
    Directory,
}

/// One service of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Which role.
    pub role: Role,
    /// The user it runs as on the node (in `run` all share the caller's).
    pub user: User,
    /// What is executed.
    pub program: Program,
    /// Sockets that `init` opens and hands over.
    pub listeners: Vec<Listener>,
    /// Roles it may open a conversation with.
    pub doors: Vec<Role>,
    /// Directories below the data directory that it may touch; made by `init`, owned by the role's user when writable.
    pub directories: Vec<Directory>,
}

/// What a service executes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// `postkiln-node ROLE`.
    Node,
    /// A program of a Debian package, by absolute path, with its arguments. `{data}` in an argument is the data
    /// directory, `{bundle}` the active bundle's directory.
    External {
        /// Absolute path of the executable.
        path: String,
        /// Arguments after the program's name.
        arguments: Vec<String>,
    },
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// `smtp`, `submission`, `submissions`, `imap`, `imaps`, `pop3`, `pop3s`.
    pub name: String,
    /// The standard port; `run` and `boot` add the base port.
    pub port: u16,
    /// When TLS begins.
    pub tls: Tls,
}

/// When TLS begins on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// With the first byte (RFC 8314 §3).
    Implicit,
    /// After STARTTLS or STLS.
    Starttls,
}

/// A directory below the data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Path below the data directory: `queue`, `mail`.
    pub path: String,
    /// Whether the role may write there.
    pub writable: bool,
}
