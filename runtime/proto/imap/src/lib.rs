//! An IMAP4rev1 server session (RFC 3501) as a value: no socket, no clock, no file. Octets, answers and time in,
//! actions out; what it cannot know, it asks. Framing is in `frames.rs`, the terminals of the grammar in `cursor.rs`,
//! each command in a file of its own. Start at [`Session`].

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod append;
mod capability;
mod command;
mod config;
mod copy;
mod cursor;
mod date;
mod envelope;
mod expunge;
mod fetch;
mod fields;
mod folders;
mod frames;
mod haystack;
mod job;
mod list;
mod login;
mod mime;
mod mutf7;
mod question;
mod search;
mod search_key;
mod section;
mod select;
mod sequence;
mod session;
mod store;
mod structure;
mod view;
mod wire;

pub use config::{Config, Limits};
pub use question::{Answer, Chosen, Counts, Entry, Failure, FailureKind, FlagChange, Folder, Part, Question, Snapshot};
pub use session::Session;
