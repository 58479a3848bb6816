//! What all protocol sessions have in common. So far: lines on the wire.

mod lines;

pub use lines::{Fault, Frame, Framer};
