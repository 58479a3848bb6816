//! The settings of a session when it begins.

use std::time::Duration;

use postkiln_address::Domain;
use postkiln_session::Tls;

/// One listener's service. Shared by all its sessions.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name, in the greeting.
    pub hostname: Domain,
    /// How TLS begins, if at all.
    pub tls: Tls,
    /// Autologout: how long a client may be silent (RFC 1939 §3: at least 10 minutes once logged in).
    pub timeout: Duration,
    /// Failed logins in a session before it is closed.
    pub max_logins: usize,
    /// Commands in a session that are unknown, malformed or out of order before it is closed.
    pub max_errors: usize,
}
