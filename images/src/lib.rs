//! From a bundle to a disk image that boots: Debian's packages as pinned in `packages.lock`, the node binary, a
//! read-only root, an initrd, GRUB for UEFI and BIOS, a partition table. Everything happens in this process, without
//! root. Knows nothing about what a bundle's files mean. Start at [`Recipe::build`]; at [`Lock::newest`] for the lock.

mod archive;
mod digest;
mod error;
mod esp;
mod grub;
mod image;
mod initrd;
mod inspect;
mod kernel;
mod layout;
mod libraries;
mod lock;
mod release;
mod relock;
mod root;
mod store;
mod tree;
mod version;

pub use archive::Mirror;
pub use error::ImageError;
pub use image::{Image, Recipe, Tell};
pub use inspect::bundle;
pub use lock::{Lock, Pin, Release, moved};
pub use store::Store;
