//! The conversation with `queued`: the narrow door into the queue (qmail-queue's part), and questions of operators.
//!
//! A submission: send `Submit` and receive `Go`; send any number of `Content` (no answers); then send `Commit` and
//! receive `Accepted` or `Refused`. To forget the message, end the conversation. `Accepted` means that message and
//! envelope are on stable storage.

use postkiln_mail::{Envelope, QueueId, Status};
use serde::{Deserialize, Serialize};

/// A caller's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Begins a message.
    Submit(Envelope),
    /// More of the message, LF line ends, at most 64 KiB.
    Content(#[serde(with = "serde_bytes_compat")] Vec<u8>),
    /// The message is complete.
    Commit,
    /// Asks for all messages in the queue.
    List,
    /// Asks `queued` to try everything now.
    Flush,
}

/// An answer of `queued`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The content may be sent.
    Go,
    /// The message is on stable storage under this name.
    Accepted(QueueId),
    /// The message is not kept; class 4 or 5, and one line for the client.
    Refused(Status, String),
    /// One message of the answer to `List`; `Done` follows the last.
    Entry(Entry),
    /// The order is carried out, or the list is at its end.
    Done,
}

/// A message in the queue, for operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name of the message.
    pub id: QueueId,
    /// The sender and the recipients.
    pub envelope: Envelope,
    /// The size of the content in octets.
    pub size: u64,
    /// The time of arrival in Unix seconds.
    pub arrived: i64,
    /// The time of the next attempt in Unix seconds.
    pub next_attempt: i64,
    /// Recipients not yet done, with the last deferral's text.
    pub waiting: Vec<(String, String)>,
}

/// Octets as postcard's byte string rather than a sequence of integers.
mod serde_bytes_compat {
    use serde::{Deserializer, Serializer, de::Visitor};
    use std::fmt;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Octets;
        impl Visitor<'_> for Octets {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("octets")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Octets)
    }
}
