//! Envelope senders (RFC 5321 §4.1.2 Reverse-path).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Address, AddressError};

/// The address to which failure notices about a message go.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReversePath {
    /// `<>`: the message is itself a notice; a failure of it goes to the postmaster as a double bounce.
    Null,
    /// `#@[]`, qmail's sender of double bounces: a failure of such a message is dropped (triple bounce).
    DoubleBounce,
    /// An ordinary sender.
    Address(Address),
}

impl ReversePath {
    /// The address, when the path has one.
    #[must_use]
    pub const fn address(&self) -> Option<&Address> {
        match self {
            Self::Address(address) => Some(address),
            Self::Null | Self::DoubleBounce => None,
        }
    }
}

impl FromStr for ReversePath {
    type Err = AddressError;

    /// Parses the text between the angle brackets.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text {
            "" => Ok(Self::Null),
            "#@[]" => Ok(Self::DoubleBounce),
            other => other.parse().map(Self::Address),
        }
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::DoubleBounce => f.write_str("#@[]"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl TryFrom<String> for ReversePath {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::received(&text)
    }
}

impl From<ReversePath> for String {
    fn from(path: ReversePath) -> Self {
        path.to_string()
    }
}
