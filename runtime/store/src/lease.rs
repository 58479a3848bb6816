//! The lease of a mailbox: who holds it may rename, remove and give UIDs. One for the whole mailbox, so that moving
//! between folders needs no order of locks. The system gives it back when its holder dies.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::StoreError;

/// Held until dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    _file: File,
}

impl Lease {
    /// Waits until nobody else holds it: every holder gives it back within one operation.
    pub(crate) fn take(maildir: &Path) -> Result<Self, StoreError> {
        let path = maildir.join("postkiln-lock");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::io("open", &path))?;
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Err(rustix::io::Errno::INTR) => {}
                done => {
                    return done
                        .map(|()| Self { _file: file })
                        .map_err(|error| StoreError::io("lock", &path)(error.into()));
                }
            }
        }
    }
}
