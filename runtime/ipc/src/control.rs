//! Between `init` and every role, over the descriptor `control`: life and configuration. `init` speaks, the role answers.

use serde::{Deserialize, Serialize};

/// What `init` says to a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Read the bundle of this identity, whose directory comes as a descriptor; answer `Prepared` or `Refused`; change
    /// nothing yet.
    Prepare(String),
    /// Use the bundle of this identity from now on if it was prepared; answer `Runs`.
    Commit(String),
    /// Forget what was prepared.
    Abort,
    /// Finish what is in hand and exit.
    Stop,
}

/// What a role says to `init`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The role answers its sockets and doors, with the bundle of this identity.
    Ready(String),
    /// The offered bundle of this identity can be used.
    Prepared(String),
    /// The offered bundle cannot be used.
    Refused {
        /// Which one.
        identity: String,
        /// Why, for a person.
        problem: String,
    },
    /// The answer to `Commit`: the role runs with the bundle of this identity. Another one than the order named means that
    /// it has prepared nothing of the kind, because it was started after the offer.
    Runs(String),
    /// A line for the console and `status`: why the role works only in part. Empty when that is over.
    Note(String),
}
