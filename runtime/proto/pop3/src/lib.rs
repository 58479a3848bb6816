//! A POP3 server session as a value (RFC 1939, 2449, 2595): bytes and answers in, actions out. No socket, no clock, no
//! knowledge of mailboxes: what it cannot know, it asks. Start at [`Session`].

mod action;
mod authorization;
mod command;
mod config;
mod context;
mod sending;
mod session;
mod state;
mod transaction;

pub use action::{Action, Answer, Message, Question};
pub use config::{Config, Tls};
pub use session::Session;
