//! Where a running node can be found below its data directory.

/// The directory that is emptied at each start.
pub const RUN: &str = "run";
/// The socket operators speak on, below [`RUN`].
pub const CONTROL_SOCKET: &str = "control.sock";
/// The state of the services as JSON; written by `init` at each change.
pub const STATUS: &str = "run/status.json";
