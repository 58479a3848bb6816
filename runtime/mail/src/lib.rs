//! Messages apart from any protocol or store: envelopes, outcomes, enhanced status codes, header fields, notices.
//! Pure: values and time in, values out. Start at [`Envelope`].

mod envelope;
mod flags;
mod outcome;
mod secret;
pub mod wire;

pub use envelope::{Envelope, QueueId};
pub use flags::Flags;
pub use outcome::{Outcome, Status};
pub use secret::Secret;
