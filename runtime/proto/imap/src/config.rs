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
    /// The limits of the session.
    pub limits: Limits,
}

/// Bounds of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a command, with its literals unless it is APPEND (RFC 7162 §4 asks for 8192 at least).
    pub line: usize,
    /// Octets of a message given to APPEND.
    pub message: usize,
    /// From the greeting to the login.
    pub login: Duration,
    /// Without a command, afterwards: at least 30 minutes (RFC 3501 §5.4).
    pub idle: Duration,
    /// Between two looks at the open folder during IDLE.
    pub poll: Duration,
    /// Commands in a row that are none before the session is closed.
    pub max_errors: u32,
    /// Failed logins in a session before it is closed.
    pub max_logins: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 64 * 1024,
            message: 64 * 1024 * 1024,
            login: Duration::from_secs(180),
            idle: Duration::from_secs(31 * 60),
            poll: Duration::from_secs(2),
            max_errors: 20,
            max_logins: 3,
        }
    }
}
