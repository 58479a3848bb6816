//! The states of a session (RFC 1939 §3): each a type with the commands it allows.

use postkiln_session::Patience;

use crate::authorization::{self, Authorization};
use crate::command::{Command, Fault};
use crate::context::Context;
use crate::sending::Sending;
use crate::transaction::Transaction;
use crate::{Answer, transaction};

/// Where a session stands.
#[derive(Debug)]
pub enum State {
    /// Nobody is logged in.
    Authorization(Authorization),
    /// A mailbox is open.
    Transaction(Transaction),
    /// A question is out.
    Asking(Asking),
    /// After the reply to STLS.
    Handshake,
    /// The session is over.
    Closed,
}

/// The subject of the open question.
#[derive(Debug)]
pub enum Asking {
    Login,
    Open,
    Content(Transaction, Sending),
    Commit,
}

impl State {
    /// A complete command line.
    pub(crate) fn obey(self, command: Result<Command, Fault>, context: &mut Context) -> Self {
        let command = match command {
            Ok(command) => command,
            Err(fault) => return self.after(context.fault(fault.reply())),
        };
        match self {
            Self::Authorization(authorization) => authorization.obey(command, context),
            Self::Transaction(transaction) => transaction.obey(command, context),
            other => other,
        }
    }

    /// The same state, if the client's faults are still borne.
    pub(crate) fn after(self, patience: Patience) -> Self {
        match patience {
            Patience::Left => self,
            Patience::Lost => Self::Closed,
        }
    }
}

impl Asking {
    /// The answer to the open question. One that does not fit is a failure of ours, and so a temporary one.
    pub(crate) fn answered(self, answer: Answer, context: &mut Context) -> State {
        match self {
            Self::Login => authorization::authenticated(context, answer),
            Self::Open => authorization::opened(context, answer),
            Self::Content(transaction, sending) => sending.answered(transaction, context, answer),
            Self::Commit => transaction::committed(context, &answer),
        }
    }
}

impl Fault {
    const fn reply(self) -> &'static str {
        match self {
            Self::Unimplemented => "-ERR unimplemented",
            Self::Syntax => "-ERR syntax error",
        }
    }
}
