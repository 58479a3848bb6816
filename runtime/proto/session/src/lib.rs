//! The common part of all protocol sessions. A session is a value: octets, answers and the time go in, actions come
//! out. Knows no protocol, no socket and no clock. Start at [`Session`]; a protocol whose commands are lines is a
//! [`Machine`] of states.

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod action;
pub mod dialog;
mod lines;
mod machine;
mod session;

pub use action::{Action, Actions, Patience, Tls};
pub use lines::{Fault, Frame, Framer};
pub use machine::{Awaits, End, Machine, State};
pub use session::Session;
