//! A POP3 server session as a value (RFC 1939, 2449, 2595): bytes and answers in, actions out. No socket, no clock, no
//! knowledge of mailboxes: what it cannot know, it asks. Start at [`Session`].

mod action;
mod session;

pub use action::{Action, Answer, Config, Message, Question, Tls};
pub use session::Session;
