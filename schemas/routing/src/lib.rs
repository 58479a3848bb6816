//! From an address to its destinations, as qmail and vdelivermail walk: `virtualdomains` → `users/cdb` → the search for
//! a `.qmail` file → its instructions, or those of the table it asks → destinations. Beside qmail's own search, an
//! address of a domain with a separator (control file `subaddress`) is tried without its detail before the domain's
//! `.qmail-default` is asked.
//!
//! Pure: a [`LookUp`] tells what exists; `directoryd` answers from the bundle and its database, the compiler from a
//! blueprint. Knows nothing about who may send. Start at [`route`].

mod look_up;
mod ready;
mod walk;

use postkiln_address::Address;
use postkiln_control::ParseError;

pub use look_up::{LookUp, UserState};
pub use ready::block_on_ready;
pub use walk::{level, route, trace};

/// The outcome for mail to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The domain is not ours.
    NotOurs,
    /// The domain is ours and mail is refused, with one line for the sender: text with an enhanced status code in
    /// qmail's form.
    NoSuchAddress(String),
    /// All places the address leads to; none: the mail is dropped on purpose.
    Destinations(Vec<Destination>),
}

/// One place where mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A user's mailbox.
    Mailbox {
        /// The domain the user lives in, never an alias domain.
        domain: String,
        /// The local part in lower case.
        user: String,
    },
    /// Back into the queue, for this other address.
    Forward(Address),
    /// A copy to each member of a list.
    List {
        /// The list's own address.
        address: Address,
        /// The list's directory, below `lists/`: `example.org/announce`.
        directory: String,
    },
    /// An automatic reply.
    Respond {
        /// The address that answers.
        address: Address,
        /// The path of the reply's text, below the bundle: `robots/example.org/info`.
        message: String,
        /// The directory that remembers the senders of the period, below the data directory:
        /// `robots/example.org/info.d`.
        directory: String,
        /// The largest number of replies to one sender within the period.
        replies: u32,
        /// The period, in seconds.
        period: u64,
    },
}

/// One step of the walk, for `explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `virtualdomains` puts this before the local part.
    Virtual {
        /// The address at this point of the walk.
        address: Address,
        /// The text put before the local part.
        prepend: String,
    },
    /// `users/assign` names the domain directory and the extension.
    Assigned {
        /// The name of the domain directory: `example.org`.
        domain: String,
        /// The rest of the local part, for which a `.qmail` file is searched.
        extension: String,
    },
    /// The rest of the extension is a detail its owner added (RFC 5233): the address is the part before it.
    Subaddress {
        /// The extension without separator and detail.
        address: String,
        /// The text after the separator.
        detail: String,
    },
    /// This file holds the instructions: a `.qmail` file, or the table that it asks (`aliases.cdb`).
    File {
        /// The name of the domain directory.
        domain: String,
        /// The file's name.
        name: String,
    },
    /// A file with one forward to an address of ours: the walk goes on there.
    Followed(Address),
}

/// The reason why it is not known where mail goes; the delivery is deferred.
#[derive(Debug, thiserror::Error)]
pub enum RouteError<E> {
    /// The look-up failed.
    #[error("the look-up failed")]
    LookUp(E),
    /// A file of instructions cannot be obeyed.
    #[error("{domain}/{name}: {problem}")]
    Instructions {
        /// The name of the domain directory.
        domain: String,
        /// The file's name.
        name: String,
        /// The line and the mistake.
        problem: ParseError,
    },
}

impl<E> From<E> for RouteError<E> {
    fn from(error: E) -> Self {
        Self::LookUp(error)
    }
}
