//! The questions of a session and their possible answers. The session knows nothing about where mail lies: folder names
//! are the wire's (modified UTF-7, `/` between levels, `INBOX` in upper case), messages are named by UID together with
//! the UIDVALIDITY it belongs to, content has CRLF line ends. Every question gets exactly one answer, and a session has
//! at most one question open.

use postkiln_mail::{Flags, Secret};

/// A question. Each variant says which answers fit; [`Answer::Failed`] always does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is this the person? [`Answer::Done`] when the mailbox is theirs from now on, [`Answer::Denied`] when the
    /// password is wrong.
    Login {
        /// As the client gave it; the authorisation identity of SASL PLAIN was empty or the same.
        name: String,
        /// As the client gave it.
        password: Secret,
    },
    /// Opens a folder in place of the open one: [`Answer::Selected`]. After a failure no folder is open
    /// (RFC 3501 §6.3.1).
    Select {
        /// The name of the folder.
        folder: String,
        /// EXAMINE: nothing may change, nothing loses `\Recent`.
        read_only: bool,
    },
    /// The open folder is left: [`Answer::Done`].
    Unselect,
    /// Asks for the messages that the open folder holds now; the answer is
    /// [`Answer::Unchanged`] or [`Answer::Snapshot`].
    Poll {
        /// The life of the folder that is open: of another one nothing is told, and nothing in it loses `\Recent`.
        uid_validity: u32,
    },
    /// Content of messages of the open folder: [`Answer::Messages`].
    Read {
        /// The chosen messages.
        messages: Chosen,
        /// How much of each.
        part: Part,
    },
    /// Changes flags in the open folder: [`Answer::Flagged`].
    Flag {
        /// Of which messages.
        messages: Chosen,
        /// The kind of change.
        change: FlagChange,
        /// The flags of the change.
        flags: Flags,
    },
    /// Removes messages of the open folder for good that are marked deleted when it is done, whatever was told before:
    /// [`Answer::Expunged`].
    Expunge {
        /// The life of the folder that is open.
        uid_validity: u32,
        /// Only those of these, ascending; `None` is all.
        among: Option<Vec<u32>>,
    },
    /// Copies messages of the open folder, all or none: [`Answer::Copied`].
    Copy {
        /// The chosen messages.
        messages: Chosen,
        /// The name of the target folder.
        folder: String,
    },
    /// Moves messages of the open folder (RFC 6851): [`Answer::Copied`]; those named in it are gone from here.
    Move {
        /// The chosen messages.
        messages: Chosen,
        /// The name of the target folder.
        folder: String,
    },
    /// Stores a new message: [`Answer::Appended`].
    Append {
        /// The name of the target folder.
        folder: String,
        /// With these flags.
        flags: Flags,
        /// Unix seconds; `None` is now.
        internal_date: Option<i64>,
        /// As the client sent it.
        content: Vec<u8>,
    },
    /// All folders and subscriptions: [`Answer::Folders`].
    Folders,
    /// Counts of one folder, without opening it: [`Answer::Status`].
    Status(String),
    /// Makes a folder, and its parents: [`Answer::Done`].
    Create(String),
    /// Removes a folder and its messages: [`Answer::Done`]. If it was open, no folder is.
    Delete(String),
    /// Renames a folder and those below it; `INBOX` instead gives its messages to the new folder (RFC 3501 §6.3.5):
    /// [`Answer::Done`]. If it was open, it still is.
    Rename {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Changes the list of subscriptions: [`Answer::Done`].
    Subscribe {
        /// Need not exist (RFC 3501 §6.3.6).
        folder: String,
        /// `false` removes it from the list.
        subscribed: bool,
    },
}

/// Messages of the open folder. UIDs are given anew under another UIDVALIDITY (RFC 3501 §2.3.1.1), so that in a folder
/// that has taken the open one's name, nothing is chosen by them: [`FailureKind::FolderGone`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The life of the folder in which they have these UIDs.
    pub uid_validity: u32,
    /// The UIDs, ascending.
    pub uids: Vec<u32>,
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The action was done.
    Done,
    /// Wrong name or password, or the service is off for this person: nobody is told which.
    Denied,
    /// The action was not done, and nothing changed.
    Failed(Failure),
    /// The folder is open.
    Selected(Snapshot),
    /// The folder as it is now.
    Snapshot(Snapshot),
    /// The folder is as it was when last told.
    Unchanged,
    /// UID and content, in the order asked; `None` for a message that is gone.
    Messages(Vec<(u32, Option<Vec<u8>>)>),
    /// The flags that messages have now; those that are gone are missing.
    Flagged(Vec<(u32, Flags)>),
    /// The UIDs that are gone now.
    Expunged(Vec<u32>),
    /// Source and target UIDs.
    Copied {
        /// Of the target.
        uid_validity: u32,
        /// Source, target; ascending.
        uids: Vec<(u32, u32)>,
    },
    /// Where the new message is.
    Appended {
        /// Of the target.
        uid_validity: u32,
        /// The message's UID.
        uid: u32,
    },
    /// Every folder, in any order.
    Folders(Vec<Folder>),
    /// Counts of a folder.
    Status(Counts),
}

/// How much of a message is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The header and the blank line that ends it.
    Header,
    /// The whole message.
    Whole,
}

/// How flags change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagChange {
    /// These as well.
    Add,
    /// These flags are taken away.
    Remove,
    /// These flags replace all others.
    Replace,
}

/// The messages of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Changes when UIDs start anew (RFC 3501 §2.3.1.1).
    pub uid_validity: u32,
    /// Above every UID ever given.
    pub uid_next: u32,
    /// Ascending by UID.
    pub messages: Vec<Entry>,
}

/// One message of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The message's UID.
    pub uid: u32,
    /// The message's flags.
    pub flags: Flags,
    /// No session has been told of it before.
    pub recent: bool,
    /// Octets on the wire, with CRLF line ends: RFC822.SIZE.
    pub size: u64,
    /// Unix seconds of its arrival.
    pub internal_date: i64,
}

/// One folder of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder's name on the wire.
    pub name: String,
    /// `false`: it stands here only because it is subscribed or has folders below it (`\Noselect`).
    pub exists: bool,
    /// Whether it is subscribed.
    pub subscribed: bool,
}

/// The answer to STATUS (RFC 3501 §6.3.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of messages.
    pub messages: u32,
    /// Those with `\Recent`.
    pub recent: u32,
    /// Above every UID ever given.
    pub uid_next: u32,
    /// The validity of UIDs.
    pub uid_validity: u32,
    /// Those without `\Seen`.
    pub unseen: u32,
}

/// Why something was not done, and one line for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind: chooses the response code (RFC 5530).
    pub kind: FailureKind,
    /// For the client: no paths, no secrets.
    pub text: String,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No such folder: `NONEXISTENT`, or `TRYCREATE` where a message was to go there.
    NoFolder,
    /// The open folder has been removed or renamed, or its UIDs began anew: ends the session, since RFC 3501 knows no
    /// other way to say so.
    FolderGone,
    /// There is such a folder already: `ALREADYEXISTS`.
    Exists,
    /// The mailbox is full: `OVERQUOTA`.
    OverQuota,
    /// Never possible: `CANNOT`.
    Refused,
    /// Not possible now: `UNAVAILABLE`.
    Unavailable,
    /// A message is gone that another session has just removed: `EXPUNGEISSUED`.
    Gone,
}
