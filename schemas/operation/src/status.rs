//! The state of a node's services: the content of [`crate::paths::STATUS`] and the
//! answer to [`crate::Question::Status`].

use std::collections::BTreeMap;
use std::fmt;

use postkiln_bundle::Role;
use serde::{Deserialize, Serialize};

/// The whole state of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Every service that has to be there is.
    pub ready: bool,
    /// The appliance's host name.
    pub hostname: String,
    /// The identity of the bundle in force.
    pub bundle: String,
    /// Unix seconds of `init`'s start.
    pub started: i64,
    /// In the order of the service table.
    pub services: Vec<Service>,
    /// Where services are offered.
    pub listeners: Vec<Listener>,
    /// How the last attempt to change the bundle ended; nothing when there was none.
    pub applied: Option<Applied>,
    /// The directories that cannot be used.
    pub troubles: Vec<Trouble>,
}

/// One service of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The role that the service plays.
    pub role: Role,
    /// The state of the service now.
    pub state: State,
    /// Unix seconds since when.
    pub since: i64,
    /// The number of the process; nothing while there is none.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Why it works only in part or not at all; empty when all is well.
    pub note: String,
}

/// The state of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The process runs and has not said that it is ready.
    Starting,
    /// The service answers.
    Ready,
    /// The service runs and cannot do its work: its note says why.
    Impaired,
    /// The process ended and will be started again.
    Restarting,
    /// The service cannot start before something else changes: its note says what.
    Waiting,
    /// The service was told to stop.
    Stopped,
}

impl State {
    /// The name, as JSON has it too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Impaired => "impaired",
            Self::Restarting => "restarting",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Service {
    /// The service as it is with these troubles: one that cannot write where it has to is not ready.
    #[must_use]
    pub fn under(mut self, troubles: &[Trouble]) -> Self {
        let own = troubles.iter().filter(|trouble| trouble.roles.contains(&self.role));
        if self.state == State::Ready
            && let Some(trouble) = own.min_by_key(|trouble| trouble.since)
        {
            self.state = State::Impaired;
            self.since = self.since.max(trouble.since);
            let note = if self.note.is_empty() { String::new() } else { format!("; {}", self.note) };
            self.note = format!("{trouble}{note}");
        }
        self
    }
}

/// A listening socket of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// `smtp`, `imaps`.
    pub name: String,
    /// The role that answers there.
    pub role: Role,
    /// The address it is bound to.
    pub address: String,
    /// The port it has here.
    pub port: u16,
}

/// How a change of the bundle ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// The bundle that was offered.
    pub bundle: String,
    /// The end of the change in Unix seconds.
    pub at: i64,
    /// Who refused and why; empty when it is in force.
    pub problem: String,
}

/// A directory that services write to and cannot use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// The path below the data directory.
    pub directory: String,
    /// The roles that write there.
    pub roles: Vec<Role>,
    /// The reason why they cannot.
    pub defect: Defect,
    /// Unix seconds since when.
    pub since: i64,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/ {}", self.directory, self.defect)
    }
}

/// The reason why nothing can be written to a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// Less room, or fewer files, than a message needs.
    Full,
    /// The file system takes no writes.
    ReadOnly,
    /// The directory is not there.
    Missing,
    /// The service may not write there.
    Forbidden,
    /// The file system does not answer.
    Silent,
    /// Another fault, as the system calls it.
    Failing(String),
}

impl Defect {
    /// Advice for the person who reads of the fault.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Full => "make room on its file system, or make that larger; mail is put off until then",
            Self::ReadOnly => {
                "find out why (the kernel stops writing to a disk that fails), then mount it writable again"
            }
            Self::Missing => "put it back from a backup, or start the node anew, which makes an empty one",
            Self::Forbidden => "give the directory back to the user of the service",
            Self::Silent => "look at the disk, or at the network it is reached by",
            Self::Failing(_) => "look at the disk and at the kernel's messages",
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("is full"),
            Self::ReadOnly => f.write_str("is read-only"),
            Self::Missing => f.write_str("is missing"),
            Self::Forbidden => f.write_str("may not be written"),
            Self::Silent => f.write_str("does not answer"),
            Self::Failing(problem) => write!(f, "fails: {problem}"),
        }
    }
}

impl Status {
    /// All services do all of their work.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let is_well = |service: &Service| service.state == State::Ready && service.note.is_empty();
        self.ready && self.troubles.is_empty() && self.services.iter().all(is_well)
    }

    /// Name and port of every listener.
    #[must_use]
    pub fn ports(&self) -> BTreeMap<String, u16> {
        self.listeners.iter().map(|listener| (listener.name.clone(), listener.port)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_write_is_not_ready() {
        let service =
            |role, state, note: &str| Service { role, state, since: 5, pid: None, restarts: 0, note: note.to_owned() };
        let trouble =
            Trouble { directory: "queue".to_owned(), roles: vec![Role::Queued], defect: Defect::Full, since: 7 };
        let troubles = [trouble];
        let check = |service: Service, state, note: &str, since| {
            let service = service.under(&troubles);
            assert_eq!((service.state, service.note.as_str(), service.since), (state, note, since));
        };
        check(service(Role::Queued, State::Ready, ""), State::Impaired, "queue/ is full", 7);
        check(service(Role::Queued, State::Ready, "odd"), State::Impaired, "queue/ is full; odd", 7);
        check(service(Role::Queued, State::Starting, ""), State::Starting, "", 5);
        check(service(Role::Local, State::Ready, ""), State::Ready, "", 5);
        let status = |service| Status { ready: true, services: vec![service], ..Status::default() };
        assert!(status(service(Role::Local, State::Ready, "")).is_well());
        assert!(!status(service(Role::Local, State::Ready, "no certificate")).is_well());
        assert!(!status(service(Role::Local, State::Waiting, "")).is_well());
    }

    #[test]
    fn states_are_called_the_same_in_json_and_for_people() {
        for state in [State::Starting, State::Ready, State::Impaired, State::Restarting, State::Waiting, State::Stopped]
        {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }
}
