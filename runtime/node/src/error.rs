//! Why a role, or the whole node, cannot start or go on. An error's kind decides the exit status, which has qmail's
//! meaning: 111, another attempt may help; 100, it finds the same again. Start at [`NodeError`]; [`During`] names the
//! step that an error of the system belongs to.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use postkiln_control::ReadError;
use postkiln_directory::DirectoryError;
use postkiln_ipc::{ChannelError, keys};
use postkiln_queue::QueueError;
use postkiln_routing::RouteError;
use postkiln_sys::InheritedError;
use thiserror::Error;

use crate::policyd::MemoryError;

/// Another attempt may help (qmail's exit status for temporary errors).
const TEMPORARY: u8 = 111;
/// Another attempt finds the same (qmail's exit status for permanent errors).
const PERMANENT: u8 = 100;

/// The reason for which a role or the node ends or refuses. Its text, with its sources, reaches the operator.
#[derive(Debug, Error)]
pub(crate) enum NodeError {
    /// The program was started with arguments that mean nothing.
    #[error("{0}")]
    Usage(String),
    /// A file of the bundle is missing or malformed. The path is relative to the bundle.
    #[error("{path}: {problem}")]
    Bundle {
        /// The file, as the bundle names it.
        path: String,
        /// The fault, for the operator.
        problem: String,
    },
    /// A control file of the bundle is malformed.
    #[error(transparent)]
    Control(#[from] ReadError),
    /// The machine is not what the node can run on: a disk, a partition, the kernel's command line. A person is needed.
    #[error("{0}")]
    Machine(String),
    /// The system refused a step.
    #[error("{step}")]
    System {
        /// The file, socket or device that the step was about.
        step: String,
        /// The system's error.
        source: io::Error,
    },
    /// A program that has to do a part of the work failed.
    #[error("{program}: {said}")]
    Program {
        /// The path of the program.
        program: String,
        /// Its exit status and what it printed, in one line.
        said: String,
    },
    /// A fault that no other error tells about: something of this node's own is not as it has to be.
    #[error("{0}")]
    Said(String),
    /// Another node has this data directory.
    #[error("another node is running with {}", .0.display())]
    Taken(PathBuf),
    /// The parent is gone: nobody holds the sockets open any longer, and nobody would start what is missing.
    #[error("init is gone")]
    Orphaned,
    /// A part of a role has ended that should run as long as the role.
    #[error("a part of the role has ended")]
    Part,
    /// The descriptors that `init` hands over are not there.
    #[error(transparent)]
    Inherited(#[from] InheritedError),
    /// The conversation with `init` broke off.
    #[error("the control channel")]
    Channel(#[from] ChannelError),
    /// TLS cannot be set up.
    #[error("TLS")]
    Tls(#[from] rustls::Error),
    /// `keyd` does not give what a role cannot do without.
    #[error(transparent)]
    Keys(#[from] keys::Unavailable),
    /// The user database refuses.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// An address cannot be walked to its end.
    #[error(transparent)]
    Route(#[from] RouteError<DirectoryError>),
    /// The memory of strangers cannot be opened.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The queue refuses.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl NodeError {
    /// A file of the bundle that cannot be used, with the reader's error and its sources.
    pub(crate) fn bundle(path: impl Into<String>, problem: &dyn std::error::Error) -> Self {
        Self::Bundle { path: path.into(), problem: postkiln_log::chain(problem) }
    }

    /// The exit status of a process that ends with this error: 100 or 111.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.is_permanent() { PERMANENT } else { TEMPORARY })
    }

    /// The text with all its sources, as operators read it.
    pub(crate) fn told(&self) -> String {
        postkiln_log::chain(self)
    }

    /// Whether another attempt, with the same bundle on the same machine, would find the same.
    fn is_permanent(&self) -> bool {
        match self {
            // The system refused to read the file: it may be well another time.
            Self::Control(ReadError::Io { .. }) => false,
            Self::Directory(DirectoryError::Malformed { .. }) => true,
            Self::Usage(_) | Self::Bundle { .. } | Self::Control(_) | Self::Machine(_) => true,
            _ => false,
        }
    }
}

/// Names the step in which the system refused.
pub(crate) trait During<T> {
    /// The same result, with the file, socket or device that the step was about before the system's words.
    fn during(self, step: impl FnOnce() -> String) -> Result<T, NodeError>;
}

impl<T, E: Into<io::Error>> During<T> for Result<T, E> {
    fn during(self, step: impl FnOnce() -> String) -> Result<T, NodeError> {
        self.map_err(|source| NodeError::System { step: step(), source: source.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_decides_the_exit_status_and_the_step_stands_before_the_systems_words() {
        let full: Result<(), _> = Err(io::Error::from(io::ErrorKind::StorageFull)).during(|| "keys/tls.key".to_owned());
        let full = full.unwrap_err();
        assert_eq!(full.told(), "keys/tls.key: no storage space");
        assert_eq!(full.exit_code(), ExitCode::from(111));
        let malformed = NodeError::bundle("control/me", &io::Error::other("is no name"));
        assert_eq!(malformed.told(), "control/me: is no name");
        assert_eq!(malformed.exit_code(), ExitCode::from(100));
        assert_eq!(NodeError::Usage("--data is missing".to_owned()).exit_code(), ExitCode::from(100));
    }
}
