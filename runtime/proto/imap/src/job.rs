//! The outcome of a command: a reply at once, or a question and a job that waits for the answer.

use std::fmt;
use std::sync::Arc;

use postkiln_session::{Action, Actions};

use crate::Config;
use crate::question::{Answer, Failure, FailureKind, Question};
use crate::view::View;

/// The parts that all commands of a session share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Arc<Config>,
    pub(crate) actions: Actions<Question>,
    pub(crate) encrypted: bool,
    pub(crate) logged_in: bool,
    pub(crate) view: Option<View>,
}

impl Context {
    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.actions.push(Action::Send(bytes));
        }
    }

    /// `* TEXT`
    pub(crate) fn untagged(&mut self, text: &str) {
        self.send(format!("* {text}\r\n").into_bytes());
    }
}

/// A command that has asked something.
pub(crate) trait Job: fmt::Debug + Send {
    /// Goes on with the answer.
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step;
}

/// How a command goes on.
#[derive(Debug)]
pub(crate) enum Step {
    /// The command is over.
    Reply(Reply),
    /// The command has to ask something first.
    Ask(Question, Box<dyn Job>),
    /// The client sends its SASL response in a line of its own.
    Authenticate,
    /// The client waits for news.
    Idle,
    /// The handshake follows the reply.
    StartTls,
    /// The connection ends.
    Logout,
}

/// The tagged reply (RFC 3501 §7.1).
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: Status,
    pub(crate) code: Option<String>,
    pub(crate) text: String,
    pub(crate) news: News,
    /// The password was wrong.
    pub(crate) denied: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    No,
    Bad,
}

/// The news of the open folder that may go before the reply (RFC 3501 §5.2, §7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// None: the command has just told everything, or nothing is open.
    None,
    /// Everything but EXPUNGE: the client uses sequence numbers.
    NoExpunge,
    /// Everything, if the last look was a while ago.
    All,
    /// All news, of this moment.
    Fresh,
}

impl Reply {
    fn new(status: Status, text: &str) -> Self {
        Self { status, code: None, text: text.to_owned(), news: News::All, denied: false }
    }

    pub(crate) fn ok(text: &str) -> Self {
        Self::new(Status::Ok, text)
    }

    pub(crate) fn no(text: &str) -> Self {
        Self::new(Status::No, text)
    }

    pub(crate) fn bad(text: &str) -> Self {
        Self::new(Status::Bad, text)
    }

    pub(crate) fn code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    pub(crate) fn news(self, news: News) -> Self {
        Self { news, ..self }
    }

    /// To a failure; `missing` is the code for a folder that is not there.
    pub(crate) fn failed(failure: &Failure, missing: &str) -> Self {
        let code = match failure.kind {
            FailureKind::NoFolder => missing,
            FailureKind::FolderGone => "NONEXISTENT",
            FailureKind::Exists => "ALREADYEXISTS",
            FailureKind::OverQuota => "OVERQUOTA",
            FailureKind::Refused => "CANNOT",
            FailureKind::Unavailable => "UNAVAILABLE",
            FailureKind::Gone => "EXPUNGEISSUED",
        };
        Self::no(&printable(&failure.text)).code(code)
    }

    /// To any answer that is not the one hoped for.
    pub(crate) fn other(answer: &Answer, missing: &str) -> Self {
        match answer {
            Answer::Failed(failure) => Self::failed(failure, missing),
            _ => Self::no("internal error").code("SERVERBUG"),
        }
    }

    /// The line of the reply.
    pub(crate) fn print(&self, tag: &str) -> Vec<u8> {
        let status = match self.status {
            Status::Ok => "OK",
            Status::No => "NO",
            Status::Bad => "BAD",
        };
        let code = self.code.as_ref().map(|code| format!("[{code}] ")).unwrap_or_default();
        format!("{tag} {status} {code}{}\r\n", self.text).into_bytes()
    }
}

/// A job that needs nothing but that it is done.
#[derive(Debug)]
pub(crate) struct Simple {
    pub(crate) done: &'static str,
}

impl Job for Simple {
    fn answered(self: Box<Self>, answer: Answer, _: &mut Context) -> Step {
        Step::Reply(match answer {
            Answer::Done => Reply::ok(self.done),
            other => Reply::other(&other, "NONEXISTENT"),
        })
    }
}

/// Text for a reply line: nothing that could end it.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect()
}
