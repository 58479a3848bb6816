//! To `directoryd`: passwords and routes. It alone sees password hashes.

use std::fmt;
use std::net::IpAddr;

use postkiln_address::Address;
use serde::{Deserialize, Serialize};

/// What a caller asks. One question, one reply; a conversation may hold many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Is this the person? `name` is `user@domain`.
    Authenticate {
        /// For which service: flags may refuse one.
        service: Access,
        /// As the client gave it.
        name: String,
        /// As the client gave it.
        password: Password,
        /// The client.
        peer: IpAddr,
    },
    /// Where does mail for this address go? The walk of `schemas/routing`.
    Route(Address),
}

/// The reply to each question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The password is right.
    Authenticated(Account),
    /// Wrong name or password, or the service is switched off for this user: callers cannot tell which.
    Denied,
    /// All places one address leads to; empty means that mail is dropped on purpose.
    Route(Vec<Destination>),
    /// The domain is ours and the address does not exist, or refuses mail; one line for the sender.
    NoSuchAddress(String),
    /// The domain is not ours: `remote` has to carry it.
    NotOurs,
    /// It cannot be said now; one line for the log.
    Unavailable(String),
}

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Never reused.
    pub id: String,
    /// The account's own address.
    pub address: Address,
    /// The Maildir below the directory `mail/`.
    pub maildir: String,
    /// Octets of mail it may hold; `None` without a limit.
    pub quota: Option<u64>,
    /// Messages it may hold; `None` without a limit.
    pub quota_messages: Option<u64>,
}

/// One place mail for an address goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// A mailbox.
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
    /// Directory of its configuration below the bundle's `lists/`, and of its state below `lists/`: `example.org/announce`.
    pub directory: String,
}

/// An autoresponder: at most `replies` answers to one sender per `period` seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    /// The address that answers.
    pub address: Address,
    /// The message file below the bundle: header lines, blank line, text.
    pub message: String,
    /// Answers to one sender within the period.
    pub replies: u32,
    /// Seconds.
    pub period: u64,
}

/// Which service asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the protocols' names")]
pub enum Access {
    Submission,
    Imap,
    Pop3,
}

/// A password in transit: has no readable `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
