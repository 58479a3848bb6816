//! Messages apart from any protocol or store: envelopes, outcomes, enhanced status codes, header fields, notices.
//! Pure: values and time in, values out. Start at [`Envelope`].

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

pub mod bounce;
mod date;
mod envelope;
mod flags;
pub mod header;
mod outcome;
mod secret;
mod trace;

pub use date::date;
pub use envelope::{Envelope, QueueId};
pub use flags::Flags;
pub use outcome::{Outcome, Status};
pub use secret::Secret;
pub use trace::{Received, delivered_to, received_line, return_path};
