//! The outcome of a delivery attempt, and its enhanced status code.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An enhanced mail system status code: class, subject, detail (RFC 3463 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Status(pub u8, pub u16, pub u16);

impl Status {
    /// Reads the status at the end of a line in qmail's form: `… (#5.1.1)`.
    #[must_use]
    pub fn stated(line: &str) -> Option<Self> {
        let (_, code) = line.strip_suffix(')')?.rsplit_once("(#")?;
        let mut parts = code.split('.');
        let status = Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(status)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The end of one delivery attempt to one recipient. The text is one line for the log and for a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Another server or the store has taken responsibility, durably.
    Delivered(String),
    /// The delivery is to be tried again.
    Deferred(Status, String),
    /// The delivery is never tried again, and the sender is told.
    Bounced(Status, String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_state_their_status() {
        let check = |line: &str, expected| assert_eq!(Status::stated(line), expected, "{line}");
        check("sorry, no mailbox here by that name (#5.1.1)", Some(Status(5, 1, 1)));
        check("account is locked (#5.2.1)", Some(Status(5, 2, 1)));
        check("(#5.2.1) and more", None);
        check("no such number (#5.2)", None);
        check("no such number (#5.2.1.7)", None);
        check("", None);
    }
}
