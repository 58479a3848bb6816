//! Mailboxes on disk: Maildir++ with sizes in the names, quota, folders, and a UID list per folder. Blocking calls on
//! paths it is given; knows nothing about users, protocols or configuration. Readers and deliverers need no lock;
//! whoever renames or removes holds the mailbox's lease, and is told [`StoreError::Busy`] before anything is changed
//! when it is not to be had: waiting is the caller's.
//!
//! A [`Folder`] stays the folder that was opened: when another one has taken its name, or its UIDs began anew, every
//! call ends with [`StoreError::FolderGone`] and touches nothing.
//!
//! Start at [`deliver`] for mail that arrives, at [`Maildir`] for mail that is read.
//!
//! Legal states on disk, and what is done about them: a file in `tmp` (a delivery that did not end: removed after 36
//! hours), a file in both `tmp` and `new` (the same), a file without a record in the UID list (gets the next UID), a
//! record without a file (expunged), a torn last record (cut off: it was never told to a client), a directory in `tmp`
//! (a deleted folder: removed after 36 hours).

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod changes;
mod deliver;
mod disk;
mod error;
mod folder;
mod folders;
mod lease;
mod maildir;
mod name;
mod quota;
mod reading;
mod scan;
mod transfer;
mod uidfile;
mod uidlist;
mod wire;

pub use deliver::{Delivered, Delivery, deliver};
pub use error::StoreError;
pub use folder::{Folder, Listing, Message};
pub use folders::FolderName;
pub use maildir::Maildir;
pub use name::{Unique, Uniques};
pub use quota::Quota;
pub use scan::Stored;
