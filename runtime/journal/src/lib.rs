//! The log that the queue will stand on; so far the checksum that its records share with those of the queue of today. Start at
//! [`Checksum`].

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod checksum;

pub use checksum::Checksum;
