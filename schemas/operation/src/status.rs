//! The state of a node's services: the content of [`crate::paths::STATUS`] and the answer to [`crate::Question::Status`].

use std::collections::BTreeMap;
use std::fmt;

use postkiln_bundle::Role;
use serde::{Deserialize, Serialize};

/// The whole state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its role.
    pub role: Role,
    /// What it does now.
    pub state: State,
    /// Unix seconds since when.
    pub since: i64,
    /// Its process.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Why it works only in part or not at all; empty when all is well.
    pub note: String,
}

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its process runs and has not said that it is ready.
    Starting,
    /// It answers.
    Ready,
    /// It ended and will be started again.
    Restarting,
    /// It cannot start before something else changes: its note says what.
    Waiting,
    /// It was told to stop.
    Stopped,
}

impl State {
    /// The name, as JSON has it too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
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

/// One listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// `smtp`, `imaps`.
    pub name: String,
    /// Who answers.
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
    /// Unix seconds.
    pub at: i64,
    /// Who refused and why; empty when it is in force.
    pub problem: String,
}

impl Status {
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
    fn states_are_called_the_same_in_json_and_for_people() {
        for state in [State::Starting, State::Ready, State::Restarting, State::Waiting, State::Stopped] {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }
}
