//! Before login (RFC 1939 §4): USER, PASS, STLS (RFC 2595 §4), CAPA (RFC 2449 §5), QUIT.

use postkiln_mail::Status;
use postkiln_session::Action;

use crate::command::Command;
use crate::context::{Context, one_line};
use crate::state::{Asking, State};
use crate::transaction::Transaction;
use crate::{Answer, Question};

/// Nobody is logged in.
#[derive(Debug, Default)]
pub struct Authorization {
    /// The name that USER gave.
    name: Option<String>,
}

impl Authorization {
    pub(crate) fn obey(self, command: Command, context: &mut Context) -> State {
        match command {
            Command::User(_) | Command::Pass(_) if !context.secure => {
                // RFC 8314 §4.1: no password in the clear. RFC 3206 §4 names the code.
                let reply = "-ERR [SYS/PERM] passwords are taken under TLS alone: STLS first";
                State::Authorization(self).after(context.fault(reply))
            }
            Command::User(name) => {
                context.say("+OK");
                State::Authorization(Self { name: Some(name) })
            }
            Command::Pass(password) => {
                let Some(name) = self.name else {
                    return State::Authorization(self).after(context.fault("-ERR USER first"));
                };
                context.ask(Question::Authenticate { name, password });
                State::Asking(Asking::Login)
            }
            Command::Stls if context.offers_stls() => {
                context.say("+OK begin TLS");
                context.actions.push(Action::StartTls);
                State::Handshake
            }
            Command::Stls => State::Authorization(self).after(context.fault("-ERR no TLS to be had here")),
            Command::Capa => {
                capa(context);
                State::Authorization(self)
            }
            Command::Noop => {
                context.say("+OK");
                State::Authorization(self)
            }
            Command::Quit => {
                context.say_and_close("+OK bye");
                State::Closed
            }
            _ => State::Authorization(self).after(context.fault("-ERR authorization first")),
        }
    }
}

/// After the handshake nothing said before counts any more (RFC 2595 §2.2 for the client, and §4).
pub(crate) fn secured(context: &mut Context) -> State {
    context.secure = true;
    State::Authorization(Authorization::default())
}

/// After the question who it is. Unknown name and wrong password look the same.
pub(crate) fn authenticated(context: &mut Context, answer: Answer) -> State {
    match answer {
        Answer::Authenticated => {
            context.ask(Question::Open);
            State::Asking(Asking::Open)
        }
        Answer::Refused(Status(5, ..), _) => State::Authorization(Authorization::default())
            .after(context.refuse_login("-ERR [AUTH] authorization failed")),
        _ => {
            context.say("-ERR [SYS/TEMP] authorization is not possible now");
            State::Authorization(Authorization::default())
        }
    }
}

/// After the question for the mailbox.
pub(crate) fn opened(context: &mut Context, answer: Answer) -> State {
    match answer {
        Answer::Opened(messages) => {
            context.say("+OK");
            return State::Transaction(Transaction::new(messages));
        }
        Answer::Refused(Status(5, ..), text) => context.say(&format!("-ERR [SYS/PERM] {}", one_line(&text))),
        Answer::Refused(_, text) => context.say(&format!("-ERR [SYS/TEMP] {}", one_line(&text))),
        _ => context.say("-ERR [SYS/TEMP] internal trouble"),
    }
    State::Authorization(Authorization::default())
}

/// RFC 2449 §6; AUTH-RESP-CODE is RFC 3206 §6.
pub(crate) fn capa(context: &mut Context) {
    context.say("+OK");
    if context.secure {
        context.say("USER");
    }
    if context.offers_stls() {
        context.say("STLS");
    }
    for capability in ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "."] {
        context.say(capability);
    }
}
