//! Errors of the journal. Every failure is temporary for the submitter (RFC 3463 4.3.x).

use std::io;
use std::sync::Arc;

/// The reason why the journal could not do something. Clones share the system's error: all that waited for one batch
/// get the same.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// A step of the disk failed.
    #[error("cannot {step} {name}")]
    Disk {
        /// The step that failed.
        step: &'static str,
        /// The file's name, below the journal's directory.
        name: String,
        /// The system's error.
        source: Arc<io::Error>,
    },
    /// No room for another segment: accepting waits, marks have what is left of this one.
    #[error("the disk has no room for another segment")]
    Full,
    /// Entries that belong together take more than a batch may have.
    #[error("{0} octets are more than one batch takes")]
    TooLong(usize),
    /// No message of this name is in the journal (any more).
    #[error("message {0} is not in the journal")]
    Gone(String),
    /// The octets of the message are not those that were accepted.
    #[error("message {0} is damaged on the disk")]
    Damaged(String),
    /// A segment of a newer version of this program; an older one must not guess.
    #[error("segment {name} has format {version}, which this program does not know")]
    Version {
        /// The segment's file.
        name: String,
        /// The version that its header names.
        version: u32,
    },
    /// The journal was closed, or its thread has ended.
    #[error("the journal is closed")]
    Closed,
}

impl JournalError {
    pub(crate) fn disk(step: &'static str, name: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { step, name: name.to_owned(), source: Arc::new(source) }
    }
}
