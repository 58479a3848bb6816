//! The questions of a session, and their answers.

use postkiln_mail::{Secret, Status};

/// A question that a session cannot answer itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is this the person? [`Answer::Authenticated`], or [`Answer::Refused`].
    Authenticate {
        /// As the client gave it.
        name: String,
        /// As the client gave it.
        password: Secret,
    },
    /// Which messages are there, in which order? [`Answer::Opened`] or [`Answer::Refused`]. Comes once, directly after
    /// [`Answer::Authenticated`]; the driver knows whose mailbox it is.
    Open,
    /// The beginning of the message at this place of the list (counted from 0): [`Answer::Piece`], [`Answer::End`] when
    /// it is empty, or [`Answer::Refused`].
    Retrieve(usize),
    /// The next piece of the same message. When another question comes instead, or none, the rest is not needed.
    More,
    /// QUIT: delete the messages at these places, move the others from `new` to `cur`. [`Answer::Committed`] or
    /// [`Answer::Refused`]. A session that ends without this question deletes nothing (RFC 1939 §6).
    Commit(Vec<usize>),
}

/// The driver's answer. An answer that does not fit the question counts as a failure of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The password is right.
    Authenticated,
    /// The messages in their order.
    Opened(Vec<Message>),
    /// Octets of the message as stored, LF line ends, at most 64 KiB, not empty.
    Piece(Vec<u8>),
    /// The message has no more octets.
    End,
    /// All deletions are done.
    Committed,
    /// No: class 4 for now, class 5 for good; one line for the client.
    Refused(Status, String),
}

/// A message of the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Unique and the same in every session: the file name up to `:` (RFC 1939 §7: 1 to 70 octets of `!` to `~`).
    pub id: String,
    /// The size in octets.
    pub size: u64,
}
