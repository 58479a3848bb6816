//! How an attempt ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An enhanced mail system status code: class, subject, detail (RFC 3463 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Status(pub u8, pub u16, pub u16);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// How one delivery attempt to one recipient ended. The text is one line for the log and for a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Somebody else is responsible now, durably.
    Delivered(String),
    /// To be tried again.
    Deferred(Status, String),
    /// Never to be tried again; the sender is told.
    Bounced(Status, String),
}
