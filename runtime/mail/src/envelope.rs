//! The envelope (RFC 5321 §2.3.1) and the name of a queued message.

use std::fmt;

use postkiln_address::{Address, ReversePath};
use serde::{Deserialize, Serialize};

/// Reverse path and recipients of one message. Immutable once queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The reverse path, to which failure notices go.
    pub sender: ReversePath,
    /// The recipients, at least one, in the order given.
    pub recipients: Vec<Address>,
}

/// The name of a message in the queue: lower-case hex, unique for the life of the queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct QueueId(String);

/// A neighbour's word is not taken for it: names of files are made of this.
impl TryFrom<String> for QueueId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text).ok_or("no name of a message")
    }
}

impl QueueId {
    /// Takes a name as the queue gave it: 1 to 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let valid =
            (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        valid.then(|| Self(text.to_owned()))
    }

    /// The name as hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
