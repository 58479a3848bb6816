//! A line of the service table: everything that `init` has to know to start a role, to give it its powers and no
//! others, and to tell whether it works. `init` obeys the line and knows no role by name. The compiler makes the lines
//! (`compiler/blueprint/src/services.rs`).

use serde::{Deserialize, Serialize};

use crate::{Role, User};

/// One service of the node. A field that bundles of before have not stands for what was in effect then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The role of the service.
    pub role: Role,
    /// The user it runs as on the node (in `run` all share the caller's).
    pub user: User,
    /// The program that is executed.
    pub program: Program,
    /// Sockets that `init` opens and hands over.
    pub listeners: Vec<Listener>,
    /// Unix sockets that `init` opens and hands over, for people on the machine.
    #[serde(default)]
    pub sockets: Vec<LocalSocket>,
    /// Roles it may open a conversation with.
    pub doors: Vec<Role>,
    /// Directories below the data directory that it may touch; made by `init`, owned by the role's user when writable.
    pub directories: Vec<Directory>,
    /// Paths of the bundle that it reads, and finds in its part of the bundle; one that ends in `/` is a folder with
    /// everything in it, and `/` alone is the whole bundle.
    #[serde(default = "everything")]
    pub reads: Vec<String>,
    /// Files of the bundle that its program wants to find in the data directory.
    #[serde(default)]
    pub provisions: Vec<Provision>,
    /// Whether it is handed the secrets that a node is started with.
    #[serde(default)]
    pub takes_secrets: bool,
    /// The classes of system calls that a role of ours makes beyond those of all roles. Any other call ends its
    /// process. A program of others is only refused what no server needs.
    #[serde(default = "all_calls")]
    pub calls: Vec<Calls>,
    /// The memory in MiB that its processes may have together; one that asks for more is ended and started again.
    /// Without a number they may have all that there is.
    #[serde(default)]
    pub memory: Option<u32>,
    /// The powers of root that the service keeps.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// Only on a machine of its own: in an ordinary run its job is done by the machine that the run is on.
    #[serde(default)]
    pub machine_only: bool,
    /// The conditions for its start.
    #[serde(default)]
    pub prerequisite: Option<Prerequisite>,
    /// How it is known to answer.
    #[serde(default)]
    pub readiness: Readiness,
    /// Whether the node is not ready without it. One that cannot start yet because of its prerequisite is
    /// not waited for.
    #[serde(default = "essential")]
    pub essential: bool,
    /// The effect of its absence in words for `status`: `mail is deferred`. Empty where that needs no word.
    #[serde(default)]
    pub without: String,
    /// How long to wait before it is started again.
    #[serde(default)]
    pub pauses: Pauses,
}

impl Service {
    /// A role of ours that has nothing but its name: no socket, no door, no directory.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            user: role.user(),
            program: Program::Node,
            listeners: Vec::new(),
            sockets: Vec::new(),
            doors: Vec::new(),
            directories: Vec::new(),
            reads: Vec::new(),
            provisions: Vec::new(),
            calls: Vec::new(),
            memory: None,
            takes_secrets: false,
            capabilities: Vec::new(),
            machine_only: false,
            prerequisite: None,
            readiness: Readiness::default(),
            essential: essential(),
            without: String::new(),
            pauses: Pauses::default(),
        }
    }

    /// Whether a path of the bundle belongs to its part.
    #[must_use]
    pub fn may_read(&self, path: &str) -> bool {
        self.reads.iter().any(|own| own == path || own == "/" || (own.ends_with('/') && path.starts_with(own.as_str())))
    }
}

fn all_calls() -> Vec<Calls> {
    Calls::ALL.to_vec()
}

fn everything() -> Vec<String> {
    vec!["/".to_owned()]
}

const fn essential() -> bool {
    true
}

/// The program of a service.
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

/// A listening Unix socket, for its owner alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalSocket {
    /// The role finds it as the listener of this name.
    pub name: String,
    /// Path below the data directory.
    pub path: String,
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

/// Files of the bundle that a program wants to find in the data directory. The service is started again when one of
/// them has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provision {
    /// A configuration file whose values begin with `/data` where they name the data directory.
    Configuration {
        /// Path in the bundle.
        from: String,
        /// Path below the data directory.
        to: String,
    },
    /// All files of a folder. Those that an earlier bundle brought and this one does not are taken away.
    Folder {
        /// Path in the bundle.
        from: String,
        /// Path below the data directory, of a folder that others write to as well.
        to: String,
    },
}

/// A class of system calls. All roles read files, keep memory and threads, and talk over the sockets they are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calls {
    /// Clients are taken from a listener.
    Accept,
    /// Files are made, written, locked and removed.
    Files,
    /// A Unix socket that lies in a directory is called.
    LocalSockets,
    /// Other hosts are called by TCP and UDP.
    Internet,
    /// The machine's interfaces are given addresses.
    Interfaces,
}

impl Calls {
    /// Every class there is.
    pub const ALL: [Self; 5] = [Self::Accept, Self::Files, Self::LocalSockets, Self::Internet, Self::Interfaces];
}

/// A power of root (capabilities(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Addresses and routes.
    NetAdmin,
    /// A socket on one interface.
    NetRaw,
    /// Ports below 1024.
    NetBindService,
}

/// The conditions for the start of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// A directory below the data directory.
    pub directory: String,
    /// A file in it has one of these endings.
    pub endings: Vec<String>,
    /// The meaning of such a file in words for `status`: `virus signatures`.
    pub what: String,
}

/// How a service is known to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// The service says so over its control channel.
    #[default]
    Says,
    /// The service counts as ready when its process runs: nobody waits for it.
    Runs,
    /// The service answers a question on its socket.
    Answers {
        /// Path below the data directory.
        socket: String,
        /// The question that is sent.
        question: String,
        /// The expected answer.
        reply: String,
    },
}

/// How long to wait before a service that has ended is started again: the wait doubles each time, and is the first one
/// again after a long enough life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pauses {
    /// The first delay of the series.
    pub first_seconds: u32,
    /// The longest delay of the series.
    pub longest_seconds: u32,
}

/// As daemontools: never more than one start a second.
impl Default for Pauses {
    fn default() -> Self {
        Self { first_seconds: 1, longest_seconds: 60 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_bundle_is_files_and_folders() {
        let check = |reads: &[&str], path: &str, expected: bool| {
            let reads = reads.iter().map(|&path| path.to_owned()).collect();
            let service = Service { reads, ..Service::new(Role::Smtpd) };
            assert_eq!(service.may_read(path), expected, "{path} of {:?}", service.reads);
        };
        check(&["control/me", "domains/"], "control/me", true);
        check(&["control/me", "domains/"], "control/menu", false);
        check(&["control/me", "domains/"], "domains/example.org/.qmail-ada", true);
        check(&["control/me", "domains/"], "domains", false);
        check(&["/"], "seeds/sqlite.sql", true);
        check(&[], "manifest.json", false);
    }
}
