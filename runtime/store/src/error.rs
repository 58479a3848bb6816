//! Errors of the store.

use std::io;
use std::path::{Path, PathBuf};

use postkiln_mail::Status;

/// A failure; [`StoreError::status`] tells whether another try can help.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// The operation: "create", "write", "sync", …
        operation: &'static str,
        /// The path of the file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The message could not be read from where it comes from, or is not as long as was said.
    #[error("cannot read the message to be stored")]
    Source(#[source] io::Error),
    /// The message does not fit into the mailbox's limits.
    #[error("the mailbox is full")]
    OverQuota,
    /// The mailbox has no folder of this name.
    #[error("there is no folder {0:?}")]
    NoFolder(String),
    /// The folder that was open has been deleted or renamed, or its UIDs began anew. One that has its name
    /// now is another.
    #[error("the folder {0:?} that was open is gone")]
    FolderGone(String),
    /// The mailbox has a folder of this name already.
    #[error("there is a folder {0:?} already")]
    Exists(String),
    /// No folder can have this name, or this operation is not possible with this folder.
    #[error("the folder name {0:?} cannot be used")]
    Name(String),
    /// Another session or process has the mailbox's lease. Nothing was changed; another try is worth while.
    #[error("the mailbox is in use")]
    Busy,
    /// The message is not there any more.
    #[error("the message is gone")]
    Gone,
}

impl StoreError {
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { operation, path, source }
    }

    /// The enhanced status (RFC 3463): class 4 when another try can help, class 5 when it cannot.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::OverQuota => Status(5, 2, 2),
            Self::NoFolder(_) | Self::FolderGone(_) | Self::Exists(_) | Self::Name(_) | Self::Gone => Status(5, 2, 0),
            Self::Busy => Status(4, 2, 0),
            // A full disk of the machine is not the fault of this mailbox (RFC 3463 §3.4, X.3.1).
            Self::Io { source, .. }
                if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                Status(4, 3, 1)
            }
            Self::Io { .. } | Self::Source(_) => Status(4, 3, 0),
        }
    }

    /// Whether another try is useless.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.status().0 == 5
    }
}
