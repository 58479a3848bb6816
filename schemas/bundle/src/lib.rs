//! The bundle: what the compiler hands to the node. A directory of files with a manifest, and the same packed into one
//! file (`pack`). Knows nothing about what the files mean; that is `schemas/control`. Start at [`Manifest`].

mod bundle;
mod manifest;
mod pack;
mod role;

pub use bundle::{Bundle, BundleError, File};
pub use manifest::{Directory, FileEntry, Listener, Manifest, Owner, Program, Service, Tls};
pub use pack::{PackError, unpack};
pub use role::{Role, User};
