//! The conversation of `init` with every role, over the descriptor `control`: life and configuration. `init` gives
//! orders, the role answers.

use serde::{Deserialize, Serialize};

/// An order of `init` to a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Read the bundle of this identity, whose directory comes as a descriptor; answer `Prepared` or `Refused`; change
    /// nothing yet.
    Prepare(String),
    /// Use the bundle of this identity from now on if it was prepared; answer `Runs`.
    Commit(String),
    /// Forget the prepared bundle.
    Abort,
    /// Finish the work in hand and exit.
    Stop,
}

/// A report of a role to `init`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The role answers its sockets and doors, with the bundle of this identity.
    Ready(String),
    /// The offered bundle of this identity can be used.
    Prepared(String),
    /// The offered bundle cannot be used.
    Refused {
        /// The identity of the refused bundle.
        identity: String,
        /// The reason, for a person.
        problem: String,
    },
    /// The answer to `Commit`: the role runs with the bundle of this identity. Another one than the order named means
    /// that it has prepared nothing of the kind, because it was started after the offer.
    Runs(String),
    /// A line for the console and `status`: why the role works only in part. Empty when that is over.
    Note(String),
}
