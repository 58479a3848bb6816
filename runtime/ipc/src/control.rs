//! Between `init` and every role, over the descriptor `control`: life and configuration. `init` speaks, the role answers.

use serde::{Deserialize, Serialize};

/// What `init` says to a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Read the bundle whose directory comes as a descriptor; answer `Prepared` or `Refused`; change nothing yet.
    Prepare,
    /// Use what was prepared from now on; answer `Committed`.
    Commit,
    /// Forget what was prepared.
    Abort,
    /// Finish what is in hand and exit.
    Stop,
}

/// What a role says to `init`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The role answers its sockets and doors.
    Ready,
    /// The offered bundle can be used.
    Prepared,
    /// The offered bundle cannot be used, and why.
    Refused(String),
    /// The prepared bundle is in use.
    Committed,
    /// A line for the console and `status`: why the role works only in part. Empty when that is over.
    Note(String),
}
