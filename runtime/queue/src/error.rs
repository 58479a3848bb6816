//! Errors of the queue. Every failure is temporary for the submitter (RFC 3463 4.3.x).

use std::io;
use std::path::{Path, PathBuf};

use postkiln_mail::{QueueId, Status};

/// The reason why the queue could not do something.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The queue's directory cannot be used.
    #[error("cannot use {}", path.display())]
    Directory {
        /// The path of the directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A step with one message failed.
    #[error("cannot {step} {id}")]
    Message {
        /// The step that failed.
        step: &'static str,
        /// The name of the message.
        id: String,
        /// The system's error.
        source: io::Error,
    },
    /// The message's file is missing, or something else has its name: no later attempt can find the message.
    #[error("the file of message {0} is gone")]
    Gone(String),
    /// An envelope over what a header can hold.
    #[error("the envelope is too long")]
    Envelope,
    /// A made name is no queue id.
    #[error("{0:?} is no queue id")]
    Name(String),
    /// An earlier sync of the directory failed: nothing after it can be promised until the queue is opened again.
    #[error("the queue's directory could not be synced; it has to be opened again")]
    Unsynced,
}

impl QueueError {
    /// The status for the submitter: the disk is full, or our system is in trouble (RFC 3463 §3.4).
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Message { source, .. } if source.kind() == io::ErrorKind::StorageFull => Status(4, 3, 1),
            Self::Envelope => Status(5, 5, 3),
            _ => Status(4, 3, 0),
        }
    }

    pub(crate) fn io(step: &'static str, id: &QueueId) -> impl FnOnce(io::Error) -> Self + use<> {
        let id = id.to_string();
        move |source| Self::Message { step, id, source }
    }

    pub(crate) fn directory(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Directory { path, source }
    }
}
