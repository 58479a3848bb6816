//! The states of a session. Each is a type of its own with the commands it allows as functions that consume it and give
//! its successor; a command file holds those functions.

use postkiln_address::Address;
use postkiln_session::Patience;

use crate::auth::Exchange;
use crate::command::{Command, Fault};
use crate::context::Context;
use crate::data::Receiving;
use crate::mail::Transaction;
use crate::{Answer, auth, data, greeting, mail, plain, rcpt, starttls};

/// Where a session stands.
#[derive(Debug)]
pub enum State {
    /// No transaction is open.
    Idle,
    /// MAIL was accepted.
    Transaction(Transaction),
    /// AUTH asked for a response: the next line is one.
    Exchange(Exchange),
    /// The content comes, after 354.
    Receiving(Receiving),
    /// A question is out.
    Asking(Asking),
    /// After the reply to STARTTLS.
    Handshake,
    /// The session is over.
    Closed,
}

/// The subject of the open question.
#[derive(Debug)]
pub enum Asking {
    Login,
    Sender(Transaction),
    Recipient(Transaction, Address),
    Stranger(Transaction, Address),
    Begin,
    Finish,
}

impl State {
    /// A complete command line in `Idle` or `Transaction`.
    pub(crate) fn obey(self, command: Result<Command, Fault>, context: &mut Context) -> Self {
        let command = match command {
            Ok(command) => command,
            Err(fault) => return self.after(context.fault(fault.reply())),
        };
        match (self, command) {
            (_, Command::Helo(name)) => greeting::helo(context, name),
            (_, Command::Ehlo(name)) => greeting::ehlo(context, name),
            (_, Command::Quit) => plain::quit(context),
            (_, Command::Rset) => plain::rset(context),
            (state, Command::Noop) => plain::noop(state, context),
            (state, Command::Help) => plain::help(state, context),
            (state, Command::Vrfy) => plain::vrfy(state, context),
            (Self::Idle, Command::StartTls) => starttls::starttls(context),
            (Self::Idle, Command::Auth(mechanism, initial)) => auth::auth(context, mechanism, initial),
            (Self::Idle, Command::Mail(mail)) => mail::mail(context, mail),
            (Self::Transaction(transaction), Command::Rcpt(address)) => rcpt::rcpt(transaction, context, address),
            (Self::Transaction(transaction), Command::Data) => data::data(transaction, context),
            (state, Command::Rcpt(_) | Command::Data) => state.after(context.fault("503 5.5.1 MAIL first (#5.5.1)")),
            (state, Command::StartTls | Command::Auth(..) | Command::Mail(_)) => {
                state.after(context.fault("503 5.5.1 not during a mail transaction (#5.5.1)"))
            }
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
            Self::Login => auth::answered(context, answer),
            Self::Sender(transaction) => mail::answered(transaction, context, answer),
            Self::Recipient(transaction, address) => rcpt::answered(transaction, address, context, answer),
            Self::Stranger(transaction, address) => rcpt::judged(transaction, address, context, answer),
            Self::Begin => data::begun(context, answer),
            Self::Finish => data::finished(context, answer),
        }
    }
}

impl Fault {
    const fn reply(self) -> &'static str {
        match self {
            Self::Unimplemented => "502 5.5.1 unimplemented (#5.5.1)",
            Self::Syntax => "501 5.5.4 syntax error (#5.5.4)",
            Self::Path => "555 5.5.4 syntax error in the address (#5.5.4)",
            Self::Parameter => "555 5.5.4 unsupported parameter (#5.5.4)",
        }
    }
}
