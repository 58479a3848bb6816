//! The commands (RFC 3501 §6): what each is written like and when it is allowed.

use crate::append::{self, Append};
use crate::cursor::{Bad, Cursor};
use crate::fetch::{self, Item};
use crate::folders::{self, StatusItem};
use crate::job::{Context, News, Reply, Step};
use crate::search_key::{self, Search};
use crate::select;
use crate::sequence::SequenceSet;
use crate::store::{self, Store};
use crate::view::Numbers;
use crate::{capability, copy, expunge, list, login, search};

/// A command that is well formed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Capability,
    Noop,
    Logout,
    Id,
    StartTls,
    Login { name: Vec<u8>, password: Vec<u8> },
    Authenticate { mechanism: String, initial: Option<Vec<u8>> },
    Select { folder: String, read_only: bool },
    Create(String),
    Delete(String),
    Rename { from: String, to: String },
    Subscribe { folder: String, subscribed: bool },
    List { reference: String, pattern: String, subscribed: bool },
    Namespace,
    Status { folder: String, items: Vec<StatusItem> },
    Append(Append),
    Idle,
    Check,
    Close { expunge: bool },
    Expunge { among: Option<SequenceSet> },
    Search { search: Search, numbers: Numbers },
    Fetch { set: SequenceSet, items: Vec<Item>, numbers: Numbers },
    Store { store: Store, numbers: Numbers },
    Copy { set: SequenceSet, folder: String, numbers: Numbers, moves: bool },
}

/// A command with its tag; the tag alone when the rest cannot be read.
pub(crate) fn parse(octets: &[u8]) -> (Option<String>, Result<Command, Bad>) {
    let mut cursor = Cursor::new(octets);
    let tag = match cursor.tag() {
        Ok(tag) => tag.to_owned(),
        Err(bad) => return (None, Err(bad)),
    };
    let parsed = cursor.space().and_then(|()| command(&mut cursor));
    (Some(tag), parsed.and_then(|command| cursor.end().map(|()| command)))
}

fn command(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let word = cursor.atom()?.to_ascii_uppercase();
    if word == "UID" {
        cursor.space()?;
        let word = cursor.atom()?.to_ascii_uppercase();
        if word == "EXPUNGE" {
            cursor.space()?;
            return Ok(Command::Expunge { among: Some(SequenceSet::parse(cursor)?) });
        }
        return numbered(&word, Numbers::Uid, cursor)?.ok_or("a UID command is unknown");
    }
    if let Some(plain) = without_arguments(&word) {
        return Ok(plain);
    }
    if let Some(numbered) = numbered(&word, Numbers::Sequence, cursor)? {
        return Ok(numbered);
    }
    Ok(match word.as_str() {
        "ID" => capability::parse_id(cursor).map(|()| Command::Id)?,
        "LOGIN" => login::parse_login(cursor).map(|(name, password)| Command::Login { name, password })?,
        "AUTHENTICATE" => {
            let (mechanism, initial) = login::parse_authenticate(cursor)?;
            Command::Authenticate { mechanism, initial }
        }
        "SELECT" | "EXAMINE" => Command::Select { folder: folder(cursor)?, read_only: word == "EXAMINE" },
        "CREATE" => Command::Create(folder(cursor)?),
        "DELETE" => Command::Delete(folder(cursor)?),
        "RENAME" => Command::Rename { from: folder(cursor)?, to: folder(cursor)? },
        "SUBSCRIBE" | "UNSUBSCRIBE" => Command::Subscribe { folder: folder(cursor)?, subscribed: word == "SUBSCRIBE" },
        "LIST" | "LSUB" => {
            let (reference, pattern) = list::parse(cursor)?;
            Command::List { reference, pattern, subscribed: word == "LSUB" }
        }
        "STATUS" => folders::parse_status(cursor).map(|(folder, items)| Command::Status { folder, items })?,
        "APPEND" => Command::Append(append::parse(cursor)?),
        _ => return Err("the command is unknown"),
    })
}

fn without_arguments(word: &str) -> Option<Command> {
    Some(match word {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close { expunge: true },
        "UNSELECT" => Command::Close { expunge: false },
        "EXPUNGE" => Command::Expunge { among: None },
        _ => return None,
    })
}

/// The commands that exist with sequence numbers and with UIDs.
fn numbered(word: &str, numbers: Numbers, cursor: &mut Cursor<'_>) -> Result<Option<Command>, Bad> {
    Ok(Some(match word {
        "SEARCH" => Command::Search { search: search_key::parse(cursor)?, numbers },
        "FETCH" => fetch::parse(cursor).map(|(set, items)| Command::Fetch { set, items, numbers })?,
        "STORE" => Command::Store { store: store::parse(cursor)?, numbers },
        "COPY" | "MOVE" => {
            copy::parse(cursor).map(|(set, folder)| Command::Copy { set, folder, numbers, moves: word == "MOVE" })?
        }
        _ => return Ok(None),
    }))
}

fn folder(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    cursor.space()?;
    cursor.mailbox()
}

/// In which states a command is allowed (RFC 3501 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowed {
    Always,
    BeforeLogin,
    AfterLogin,
    WithFolder,
}

impl Command {
    const fn allowed(&self) -> Allowed {
        match self {
            Self::Capability | Self::Noop | Self::Logout | Self::Id => Allowed::Always,
            Self::StartTls | Self::Login { .. } | Self::Authenticate { .. } => Allowed::BeforeLogin,
            Self::Check
            | Self::Close { .. }
            | Self::Expunge { .. }
            | Self::Search { .. }
            | Self::Fetch { .. }
            | Self::Store { .. }
            | Self::Copy { .. } => Allowed::WithFolder,
            _ => Allowed::AfterLogin,
        }
    }

    /// Begins to carry it out.
    pub(crate) fn run(self, context: &mut Context) -> Step {
        let misplaced = match (self.allowed(), context.logged_in, &context.view) {
            (Allowed::BeforeLogin, true, _) => Some("you are logged in already"),
            (Allowed::AfterLogin | Allowed::WithFolder, false, _) => Some("log in first"),
            (Allowed::WithFolder, true, None) => Some("open a folder first"),
            _ => None,
        };
        match misplaced {
            Some(problem) => Step::Reply(Reply::bad(problem)),
            None => self.run_here(context),
        }
    }

    fn run_here(self, context: &mut Context) -> Step {
        match self {
            Self::Capability => capability::capability(context),
            Self::Noop | Self::Check => Step::Reply(Reply::ok("done").news(News::Fresh)),
            Self::Logout => Step::Logout,
            Self::Id => capability::id(context),
            Self::StartTls => login::starttls(context),
            Self::Login { name, password } => login::with_password(name, password, context),
            Self::Authenticate { mechanism, initial } => login::authenticate(&mechanism, initial, context),
            Self::Select { folder, read_only } => select::select(folder, read_only, context),
            Self::Create(folder) => folders::create(&folder),
            Self::Delete(folder) => folders::delete(folder),
            Self::Rename { from, to } => folders::rename(from, &to),
            Self::Subscribe { folder, subscribed } => folders::subscribe(folder, subscribed),
            Self::List { reference, pattern, subscribed } => list::list(&reference, &pattern, subscribed, context),
            Self::Namespace => capability::namespace(context),
            Self::Status { folder, items } => folders::status(folder, items),
            Self::Append(append) => append::append(append),
            Self::Idle => Step::Idle,
            Self::Close { expunge } => select::close(expunge, context),
            Self::Expunge { among } => expunge::expunge(among.as_ref(), context),
            Self::Search { search, numbers } => search::search(search, numbers, context),
            Self::Fetch { set, items, numbers } => fetch::fetch(&set, items, numbers, context),
            Self::Store { store, numbers } => store::store(&store, numbers, context),
            Self::Copy { set, folder, numbers, moves } => copy::copy(&set, folder, numbers, moves, context),
        }
    }
}
