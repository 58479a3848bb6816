//! The questions of a session, and their answers.

use postkiln_address::{Address, ReversePath};
use postkiln_mail::{Envelope, QueueId, Secret, Status};

/// The largest [`postkiln_session::Action::Content`], in octets: dots unstuffed, LF line ends.
pub const PIECE: usize = 65_536;

/// A question that a session cannot answer itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is this the person? [`Answer::Authenticated`], or [`Answer::Refused`] with class 5 for a wrong password and
    /// class 4 when it cannot be said.
    Authenticate {
        /// As the client gave it.
        name: String,
        /// As the client gave it.
        password: Secret,
    },
    /// May this logged-in account send from here? (Submission alone.) [`Answer::Accepted`] or [`Answer::Refused`].
    Sender {
        /// The account, as [`Answer::Authenticated`] named it.
        account: String,
        /// The reverse path it wants.
        sender: ReversePath,
    },
    /// May this be a recipient? [`Answer::Accepted`] when it is ours and takes mail, and when it is not ours at all, or
    /// [`Answer::Refused`]. What the session's policy refuses is not asked, and what is accepted it judges again.
    Recipient {
        /// The reverse path of the message.
        sender: ReversePath,
        /// The recipient's address.
        address: Address,
    },
    /// Does what is remembered speak against a recipient that the session's policy admits? Asked last,
    /// about clients that are strangers to us, where [`crate::Config::remembers`] says so.
    /// [`Answer::Accepted`] or [`Answer::Refused`].
    Stranger {
        /// The reverse path of the message.
        sender: ReversePath,
        /// The recipient's address.
        address: Address,
    },
    /// A message is about to come: [`Answer::Accepted`] when it can be taken, or [`Answer::Refused`].
    Begin(Begin),
    /// The message is complete: [`Answer::Kept`] once it is on stable storage, or [`Answer::Refused`].
    Finish,
}

/// A message that is about to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Sender and recipients.
    pub envelope: Envelope,
    /// The name that the client gave in HELO or EHLO, printable ASCII.
    pub helo: Option<String>,
    /// How it came, in the words of RFC 3848: `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPA`, `ESMTPSA`.
    pub protocol: &'static str,
    /// The logged-in account.
    pub account: Option<String>,
    /// Octets the client announced (RFC 1870 §6), not checked.
    pub declared_size: Option<u64>,
}

/// The driver's answer. An answer that does not fit the question counts as a failure of ours: the client gets 451.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The password is right; the account's own address.
    Authenticated(String),
    /// The driver accepts.
    Accepted,
    /// The message is on stable storage under this name.
    Kept(QueueId),
    /// No: class 4 for now, class 5 for good; one line for the client.
    Refused(Status, String),
}
