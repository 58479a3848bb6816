//! What a session wants done, and what it is told at its start.

use std::net::IpAddr;
use std::time::Duration;

use crate::Question;

/// What the driver does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these octets.
    Send(Vec<u8>),
    /// Find the answer and give it to `Session::answer`.
    Ask(Question),
    /// Forget what was received and not yet read, do a TLS handshake as server, then call `Session::secured`.
    StartTls,
    /// Send what is still to be sent, then close the connection.
    Close,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// TLS is on already (port 993).
    pub encrypted: bool,
}

/// What one peer may use up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The greeting's host name.
    pub host: String,
    /// Whether STARTTLS is offered on a plain connection.
    pub starttls: bool,
    /// Octets of a command without its literals (RFC 2683 §3.2.1.5 asks for 8000 at least).
    pub line: usize,
    /// Octets of a message given to APPEND.
    pub message: usize,
    /// From the greeting to the login.
    pub login: Duration,
    /// Without a command, afterwards: at least 30 minutes (RFC 3501 §5.4).
    pub idle: Duration,
    /// Between two looks at the open folder during IDLE.
    pub poll: Duration,
    /// Commands that are none, in a row, before the session ends; also wrong passwords.
    pub mistakes: u32,
}

impl Limits {
    /// The usual ones.
    #[must_use]
    pub fn new(host: &str, starttls: bool) -> Self {
        Self {
            host: host.to_owned(),
            starttls,
            line: 64 * 1024,
            message: 64 * 1024 * 1024,
            login: Duration::from_secs(180),
            idle: Duration::from_secs(31 * 60),
            poll: Duration::from_secs(2),
            mistakes: 10,
        }
    }
}
