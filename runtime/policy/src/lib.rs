//! Checks that need memory: what a stranger attempts, what is remembered of it and the time go in, a verdict and what
//! to remember come out. Pure: knows no sockets, no tables and no replies. Start at [`Check`].

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod check;
mod client;
mod greylisting;

use std::io;

use postkiln_control::ReadError;

pub use check::{Attempt, Check, Checks, Judgement, Record, Verdict};
pub use client::network;

/// Finds a control file by its name.
type Get<'a> = dyn FnMut(&str) -> io::Result<Option<Vec<u8>>> + 'a;

/// Makes a check from its control file; `None` where the site does not have it.
type Make = fn(&mut Get<'_>) -> Result<Option<Box<dyn Check>>, ReadError>;

/// Every check, in the order in which they judge.
const KNOWN: &[Make] = &[greylisting::make];
