//! SMTP sessions as values: bytes and answers in, actions out (RFC 5321, 6409). No socket, no clock, no
//! knowledge of mailboxes or the queue: what they cannot know, they ask. Start at [`Session`] for receiving, at
//! [`client`] for sending.

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod auth;
pub mod client;
mod command;
mod config;
mod content;
mod context;
mod data;
mod greeting;
mod mail;
mod path;
mod plain;
mod question;
mod rcpt;
mod reply;
mod session;
mod starttls;
mod state;

pub use config::{Config, Limits, Listener, Peer};
pub use question::{Answer, Begin, PIECE, Question};
pub use session::Session;
