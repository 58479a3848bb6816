//! Mailing lists (ezmlm) and automatic replies (autorespond) as values: settings and a message in, mail to submit or a
//! refusal out. Pure: knows no files, no queue and no directory of users. Start at [`obey`] for lists, at
//! [`autorespond`] for replies.

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

pub mod autorespond;
mod command;
mod message;
mod owner;
mod post;

pub use command::{Decision, Listing, obey};
pub use message::{Message, Outgoing, Rest};
pub use owner::candidates;
