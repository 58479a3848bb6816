//! Where a running node can be found below its data directory.

/// The directory that is emptied at each start.
pub const RUN: &str = "run";
/// The name of the socket operators speak on, in [`RUN`].
pub const CONTROL_SOCKET: &str = "control.sock";
/// The state of the services as JSON; written by `init` at each change.
pub const STATUS: &str = "run/status.json";
/// The directory that `netd` writes to.
pub const NETWORK: &str = "run/net";
/// The name servers: `netd`'s on the machine, those of the machine it runs on in `postkiln run`.
pub const RESOLV_CONF: &str = "run/net/resolv.conf";
/// The directory with [`CLAMD_SOCKET`], beside nothing else.
pub const CLAMD: &str = "run/clamav";
/// The socket that clamd answers on.
pub const CLAMD_SOCKET: &str = "run/clamav/clamd.sock";
/// The configuration of clamd, as the data directory wants it.
pub const CLAMD_CONF: &str = "run/clamd.conf";
/// The configuration of freshclam, as the data directory wants it.
pub const FRESHCLAM_CONF: &str = "run/freshclam.conf";
