//! The lease of a mailbox: its holder may rename, remove and give UIDs. There is one for the whole mailbox, so that
//! moving between folders needs no order of locks. The system returns the lease when its holder dies. Nobody waits for
//! it here: a thread that waits is taken from everybody else's mail.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::StoreError;

/// The lease, held until dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    _file: File,
}

impl Lease {
    /// Takes the lease if nobody has it, before anything is changed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another session or process has it: every holder gives it back within one operation, so
    /// another try is worth while.
    pub(crate) fn take(maildir: &Path) -> Result<Self, StoreError> {
        let path = maildir.join("postkiln-lock");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::io("open", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(StoreError::Busy),
            Err(error) => Err(StoreError::io("lock", &path)(error.into())),
        }
    }
}
