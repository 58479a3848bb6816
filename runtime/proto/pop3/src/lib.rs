//! A POP3 server session as a value (RFC 1939, 2449, 2595): bytes and answers in, actions out. No socket, no clock, no
//! knowledge of mailboxes: what it cannot know, it asks. Start at [`Session`].

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod authorization;
mod command;
mod config;
mod context;
mod question;
mod sending;
mod session;
mod state;
mod transaction;

pub use config::Config;
pub use question::{Answer, Message, Question};
pub use session::Session;
