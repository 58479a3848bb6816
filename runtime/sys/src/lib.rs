//! System calls, and all `unsafe` of the project: inherited descriptors, files below a directory descriptor, starting
//! processes, giving up powers, signals, durable writes. Knows nothing about mail. Start at [`Inherited`] for a role,
//! at [`Spawn`] for `init`, at [`sync`] for anything that must survive a power cut.

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod allocator;
pub mod block;
mod bundle;
mod cgroup;
mod confine;
pub mod filter;
pub mod gpt;
mod inherited;
pub mod modules;
pub mod mount;
pub mod network;
mod private;
mod process;
mod random;
mod read;
mod signals;
mod spawn;
pub mod sync;

pub use allocator::{Allocator, OUT_OF_MEMORY};
pub use bundle::BundleDirectory;
pub use cgroup::Group;
pub use confine::{Reach, confine, forbid_core_dumps, raise_descriptor_limit};
pub use inherited::{DATA, DESCRIPTORS, Inherited, InheritedError};
pub use private::keep_private;
pub use process::{Exit, Process, reap};
pub use random::random;
pub use read::fill_at;
pub use signals::{Signal, Signals};
pub use spawn::{CapabilitySet, Spawn};
