//! Conversations between roles: doors (who may begin one with whom), channels (framed messages with descriptors), and
//! one small set of messages per callee with the caller's side of it. Knows nothing about a callee's work. Start at
//! [`Door`], then the callee's module.

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

pub mod control;
pub mod delivery;
pub mod directory;
pub mod keys;
pub mod policy;
pub mod queue;

mod again;
mod channel;
mod door;

pub use again::again;
pub use channel::{BlockingChannel, Channel, ChannelError, FRAME_LIMIT, take_descriptor};
pub use door::{CallError, Door, Hatch, is_hung_up, pair};
