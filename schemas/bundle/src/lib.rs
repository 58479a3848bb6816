//! The bundle, which the compiler hands to the node: a directory of files with a manifest, or the same packed into one
//! file (`pack`). Knows nothing about the meaning of the files; that is `schemas/control`. Start at [`Manifest`].

mod bundle;
mod error;
mod manifest;
mod pack;
pub mod paths;
mod role;
mod service;

pub use bundle::{Bundle, Digester, File, Part};
pub use error::BundleError;
pub use manifest::{FileEntry, Manifest, Owner, Table};
pub use pack::{PackError, unpack};
pub use role::{Role, User};
pub use service::{
    Calls, Capability, Directory, Listener, LocalSocket, Pauses, Prerequisite, Program, Provision, Readiness, Service,
    Tls,
};
