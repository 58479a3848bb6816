//! The conversation with `queued`: the narrow door into the queue (qmail-queue's part), and questions of operators.
//!
//! A submission: `Submit`, any number of `Recipients`, `Begin`, hear `Go`; any number of `Content` (no answers);
//! then `Commit` and hear `Accepted` or `Refused`, or end the conversation to forget the message. `Accepted` means
//! that message and envelope are on stable storage. [`Submission`] is the caller's side of it, [`Listing`] that of
//! an operator's question.
//!
//! Recipients and listings may be of any number, so they travel in pieces: [`pieces`].

mod listing;
mod submission;

use postkiln_address::{Address, ReversePath};
use postkiln_mail::{QueueId, Status};
use serde::{Deserialize, Serialize};

pub use listing::{Listed, Listing};
pub use submission::{Refusal, Submission};

/// A caller's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Begins a message of this sender.
    Submit(ReversePath),
    /// More recipients; not answered.
    Recipients(Vec<Address>),
    /// The envelope is complete.
    Begin,
    /// More of the message, LF line ends, at most [`CONTENT`].
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
    /// One message of the answer to `List`; its recipients follow, and `Done` the last message.
    Entry(Entry),
    /// Recipients of the last entry that are not yet done.
    Waiting(Vec<Waiting>),
    /// The order is carried out, or the list is at its end.
    Done,
}

/// A message in the queue, for operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name of the message.
    pub id: QueueId,
    /// Where notices go.
    pub sender: ReversePath,
    /// How many recipients it has, done ones included.
    pub recipients: u64,
    /// Octets of content.
    pub size: u64,
    /// The time of arrival in Unix seconds.
    pub arrived: i64,
    /// The time of the next attempt in Unix seconds.
    pub next_attempt: i64,
}

/// A recipient that has not got the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The recipient's address.
    pub recipient: Address,
    /// The text of the last deferral; empty before the first.
    pub deferral: String,
}

/// Octets of one `Content`, and about as many of one piece of anything else.
pub const CONTENT: usize = 64 << 10;

/// Cuts things of any number into pieces of about [`CONTENT`] octets; `size` tells how long one is.
pub fn pieces<T>(all: &[T], size: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = all;
    std::iter::from_fn(move || {
        let mut octets = 0_usize;
        let full = rest.iter().position(|one| {
            octets = octets.saturating_add(size(one));
            octets > CONTENT
        });
        // One that is larger than a piece goes alone.
        let (piece, others) = rest.split_at(full.map_or(rest.len(), |full| full.max(1)));
        rest = others;
        if piece.is_empty() { None } else { Some(piece) }
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_bounded_and_lose_nothing() {
        for sizes in [vec![], vec![1], vec![CONTENT + 1, 1, CONTENT, 1], vec![40; 40_000]] {
            let cut: Vec<&[usize]> = pieces(&sizes, |size| *size).collect();
            assert_eq!(cut.concat(), sizes);
            assert!(cut.iter().all(|piece| piece.len() == 1 || piece.iter().sum::<usize>() <= CONTENT));
            assert!(cut.len() <= 1 + 2 * sizes.iter().sum::<usize>() / CONTENT + 2, "{} pieces", cut.len());
        }
    }
}
