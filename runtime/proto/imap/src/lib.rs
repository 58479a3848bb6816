//! An IMAP4rev1 server session (RFC 3501) as a value: no socket, no clock, no file. The driver feeds it octets, answers
//! and time, and carries out its actions. Start at [`Question`] for what it needs to know.

mod action;
mod question;

pub use action::{Action, Limits, Peer};
pub use question::{Answer, Counts, Entry, Failure, FailureKind, FlagChange, Folder, Part, Question, Secret, Snapshot};
