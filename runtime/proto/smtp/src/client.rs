//! An SMTP client session as a value: one connection, one message, one recipient (qmail-remote's `smtp()`). Replies of
//! the server and answers go in, commands and content come out. Knows no socket, no file and no retries; the words of
//! its outcomes are qmail-remote's. Start at [`Session`].

mod auth;
mod body;
mod outcome;
mod reply;
mod session;

use std::time::Duration;

use postkiln_address::{Address, Domain, ReversePath};
use postkiln_mail::Outcome;

pub use auth::Login;
pub use outcome::harmless;
pub use session::Session;

/// The message that a session hands over, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The name in EHLO (control file `helohost`).
    pub helo: Domain,
    /// The server's IP address, for the words of outcomes.
    pub server: String,
    /// The reverse path.
    pub sender: ReversePath,
    /// The one recipient.
    pub recipient: Address,
    /// Octets of the message as stored.
    pub size: u64,
    /// How the session is encrypted.
    pub encryption: Encryption,
    /// The login that the server asks for. It is told under TLS alone, whatever `encryption` says.
    pub login: Option<Login>,
    /// How long the server may take for each reply (control file `timeoutremote`).
    pub patience: Duration,
}

/// How a session is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// By no means: for a server with which it has just failed.
    Never,
    /// Where the server offers it (RFC 7435).
    Offered,
    /// After STARTTLS, or the message stays here.
    Required,
    /// From the first octet on (RFC 8314 §3.3).
    Implicit,
}

/// A question that a session cannot answer itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The connection is not encrypted, and the server has heard our name: may the message go
    /// like that? [`Answer::Go`].
    InTheClear,
    /// The next piece of the content: [`Answer::Piece`], [`Answer::End`] or [`Answer::Unreadable`].
    Content,
    /// The result; what follows is only a farewell. [`Answer::Go`].
    Ended(Fate),
}

/// The driver's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The session may go on.
    Go,
    /// Octets of the content as stored: lines end with LF.
    Piece(Vec<u8>),
    /// The content is complete.
    End,
    /// The content cannot be read, for this reason.
    Unreadable(String),
}

/// The result of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// This outcome counts.
    Final(Outcome),
    /// The server took no part of the message: another one may do better.
    Elsewhere(Outcome),
    /// Encryption failed for this reason: a new connection without it may do better.
    NotEncrypted(String),
}
