//! `run/status.json`: what the node looks like now, for `controld`, the console and `postkiln status`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use postkiln_bundle::Role;
use serde::Serialize;

/// The whole state. Written anew at each change, replaced in one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    /// Every service that has to be there is.
    pub(crate) ready: bool,
    /// The appliance's host name.
    pub(crate) hostname: String,
    /// The bundle in force.
    pub(crate) bundle: String,
    /// Unix seconds of `init`'s start.
    pub(crate) started: u64,
    /// In the order of the service table.
    pub(crate) services: Vec<ServiceStatus>,
    /// Where services are offered.
    pub(crate) listeners: Vec<ListenerStatus>,
    /// How the last attempt to change the bundle ended; nothing when there was none.
    pub(crate) applied: Option<Applied>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ServiceStatus {
    /// Its role.
    pub(crate) role: Role,
    /// What it does now.
    pub(crate) state: State,
    /// Unix seconds since when.
    pub(crate) since: u64,
    /// Its process.
    pub(crate) pid: Option<u32>,
    /// How often it was started again.
    pub(crate) restarts: u32,
    /// Why it works only in part or not at all; empty when all is well.
    pub(crate) note: String,
}

/// What a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
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

/// One listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ListenerStatus {
    /// `smtp`, `imaps`.
    pub(crate) name: String,
    /// Who answers.
    pub(crate) role: Role,
    /// The address it is bound to.
    pub(crate) address: String,
    /// The port it has here.
    pub(crate) port: u16,
}

/// How a change of the bundle ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Applied {
    /// The bundle that was offered.
    pub(crate) bundle: String,
    /// Unix seconds.
    pub(crate) at: u64,
    /// Who refused and why; empty when it is in force.
    pub(crate) problem: String,
}

impl Status {
    /// Name and port of every listener.
    pub(crate) fn ports(&self) -> BTreeMap<&str, u16> {
        self.listeners.iter().map(|listener| (listener.name.as_str(), listener.port)).collect()
    }

    /// Writes it below the data directory. Not made durable: the next start writes its own.
    pub(crate) fn write(&self, data: &Path) {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        if let Err(error) = postkiln_sys::sync::replace_volatile(&data.join(FILE), &text, 0o644) {
            postkiln_log::warn("status-not-written", &[("problem", &error)]);
        }
    }
}

/// Where it stands below the data directory.
pub(crate) const FILE: &str = postkiln_operation::paths::STATUS;

/// Unix seconds now.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}
