//! The settings of a session when it begins: the service it plays, its limits, its peer.

use std::net::IpAddr;
use std::time::Duration;

use postkiln_address::Domain;
use postkiln_admission::{Client, Policy};
use postkiln_session::Tls;

/// One listener's service. Shared by all its sessions.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name: after `220` and `250`, in EHLO, and the domain of a bare `postmaster` (control file `me`).
    pub hostname: Domain,
    /// The text between `220 ` and ` ESMTP`; the first word should be our name (control file `smtpgreeting`).
    pub greeting: String,
    /// The kind of clients that are expected.
    pub listener: Listener,
    /// How TLS begins, if at all.
    pub tls: Tls,
    /// Who may send what to whom.
    pub policy: Policy,
    /// Whether somebody remembers strangers, and is asked about each of their recipients.
    pub remembers: bool,
    /// The limits of the session.
    pub limits: Limits,
}

/// The kind of clients that are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Other mail servers (port 25): no AUTH.
    Mx,
    /// Our users (ports 587 and 465): AUTH under TLS before anything is accepted (RFC 6409 §4.3).
    Submission,
}

/// Bounds of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a message as stored; `None` without a limit (control file `databytes`, where 0 means none).
    pub databytes: Option<u64>,
    /// Recipients of one message (control file `maxrcpt`; RFC 5321 §4.5.3.1.8 asks for at least 100).
    pub max_recipients: usize,
    /// Refused recipients in a session before it is closed (chkuser's and brtlimit's idea).
    pub max_refused: usize,
    /// Commands in a session that are unknown, malformed or out of order before it is closed.
    pub max_errors: usize,
    /// Failed logins in a session before it is closed.
    pub max_logins: usize,
    /// `Received` and `Delivered-To` lines at which a message is taken to loop.
    pub max_hops: usize,
    /// Octets of a line of content. RFC 5321 §4.5.3.1.6 asks for at least 1000; much real mail has longer lines.
    pub content_line: usize,
    /// How long a client may take for a command line, and for the next piece of content (control file `timeoutsmtpd`).
    pub timeout: Duration,
    /// How long a client may take for a whole message.
    pub message_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            databytes: None,
            max_recipients: 100,
            max_refused: 50,
            max_errors: 20,
            max_logins: 3,
            max_hops: 100,
            content_line: 65_536,
            timeout: Duration::from_secs(1200),
            message_time: Duration::from_secs(2 * 3600),
        }
    }
}

/// The other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client's IP address.
    pub ip: IpAddr,
    /// The verdict of the listener's rules about it.
    pub client: Client,
}
