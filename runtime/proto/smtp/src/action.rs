//! What a session wants from its driver, and what it hears back.

use postkiln_address::{Address, ReversePath};
use postkiln_mail::{Envelope, QueueId, Secret, Status};

/// What the driver has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write these octets to the client.
    Send(Vec<u8>),
    /// Find out, then call [`crate::Session::answer`]. Until then the session takes nothing from its input.
    Ask(Question),
    /// A piece of the message that [`Question::Begin`] announced: at most [`PIECE`] octets, dots unstuffed, LF line
    /// ends. No answer; the driver does not read from the client before it has handed the piece on.
    Content(Vec<u8>),
    /// Forget the message that was begun: it will not be finished. No answer.
    Abort,
    /// After all earlier `Send`s are written: start the TLS handshake, then call [`crate::Session::tls_started`].
    StartTls,
    /// Write what is left, shut the sending side down and close. A client that is still sending should be drained for a
    /// moment, or it never sees the last reply.
    Close,
}

/// The largest [`Action::Content`], in octets.
pub const PIECE: usize = 65_536;

/// What a session cannot know.
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
    /// Is there such a recipient? [`Answer::Accepted`] when it is ours and takes mail, [`Answer::NotOurs`], or
    /// [`Answer::Refused`]. Whether a recipient that is not ours may pass, the session decides.
    Recipient {
        /// The recipient.
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
    /// What the client called itself in HELO or EHLO, printable ASCII.
    pub helo: Option<String>,
    /// How it came, in the words of RFC 3848: `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPA`, `ESMTPSA`.
    pub protocol: &'static str,
    /// The logged-in account.
    pub account: Option<String>,
    /// Octets the client announced (RFC 1870 §6), not checked.
    pub declared_size: Option<u64>,
}

/// What the driver found out. An answer that does not fit the question counts as a failure of ours: the client hears 451.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The password is right; the account's own address.
    Authenticated(String),
    /// Yes.
    Accepted,
    /// The recipient's domain is not ours.
    NotOurs,
    /// The message is on stable storage under this name.
    Kept(QueueId),
    /// No: class 4 for now, class 5 for good; one line for the client.
    Refused(Status, String),
}
