//! To `directoryd`: passwords and routes. That role alone sees password hashes. [`Client`] is the caller's side.

mod client;

use std::fmt;
use std::net::IpAddr;

use postkiln_address::Address;
use serde::{Deserialize, Serialize};

pub use client::{Client, Route, Unavailable};

/// A caller's question. Each gets one reply; a conversation may hold many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Asks whether name and password are right. `name` is `user@domain`.
    Authenticate {
        /// The service that the person uses: flags may refuse one.
        service: Access,
        /// The name as the client gave it.
        name: String,
        /// The password as the client gave it.
        password: Password,
        /// The client's IP address.
        peer: IpAddr,
    },
    /// Asks where mail for this address goes, by the walk of `schemas/routing`.
    Route(Address),
}

/// The reply to each question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The password is right.
    Authenticated(Account),
    /// Wrong name or password, or the service is switched off for this user: callers cannot tell which.
    Denied,
    /// All places that the address leads to; none when mail is dropped on purpose.
    Route(Vec<Destination>),
    /// The domain is ours and the address does not exist, or refuses mail; one line for the sender.
    NoSuchAddress(String),
    /// The domain is not ours: `remote` has to carry it.
    NotOurs,
    /// There is no answer now; one line for the log.
    Unavailable(String),
}

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's id, never used again.
    pub id: String,
    /// The account's own address.
    pub address: Address,
    /// The Maildir below the directory `mail/`.
    pub maildir: String,
    /// The mailbox's size limit in octets; `None` without a limit.
    pub quota: Option<u64>,
    /// The mailbox's largest number of messages; `None` without a limit.
    pub quota_messages: Option<u64>,
}

/// One place where mail for an address goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// A mailbox of ours.
    Mailbox(Account),
    /// Back into the queue for another address.
    Forward(Address),
    /// A copy to each member, with the list's own sender (ezmlm-send).
    List(List),
    /// An automatic reply (autorespond).
    Respond(Responder),
}

/// A mailing list as the bundle describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// The list's own address.
    pub address: Address,
    /// The directory of the list's configuration below the bundle's `lists/`, and of its state below `lists/`:
    /// `example.org/announce`.
    pub directory: String,
}

/// An autoresponder: at most `replies` answers to one sender per `period` seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    /// The address that answers.
    pub address: Address,
    /// The message file below the bundle: header lines, blank line, text.
    pub message: String,
    /// The largest number of answers to one sender within the period.
    pub replies: u32,
    /// The period in seconds.
    pub period: u64,
}

/// The service that asks for a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the protocols' names")]
pub enum Access {
    Submission,
    Imap,
    Pop3,
}

/// A password in transit; its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
