//! MAIL (RFC 5321 §4.1.1.2).

use postkiln_address::{Address, ReversePath};
use postkiln_mail::Status;

use crate::command::Mail;
use crate::context::Context;
use crate::reply::{Stage, refusal};
use crate::state::{Asking, State};
use crate::{Answer, Listener, Question};

/// A mail transaction before its content.
#[derive(Debug)]
pub struct Transaction {
    pub(crate) sender: ReversePath,
    pub(crate) recipients: Vec<Address>,
    pub(crate) declared_size: Option<u64>,
}

pub(crate) fn mail(context: &mut Context, mail: Mail) -> State {
    if context.config.listener == Listener::Submission && context.account.is_none() {
        let reply = if context.offers_auth() {
            "530 5.7.0 authentication required (#5.7.0)"
        } else {
            "530 5.7.0 must issue a STARTTLS command first (#5.7.0)"
        };
        return State::Idle.after(context.fault(reply));
    }
    if mail.has_auth && !context.offers_auth() {
        return State::Idle.after(context.fault("555 5.5.4 unsupported parameter (#5.5.4)"));
    }
    // RFC 1870 §6.1: refused before it is sent.
    if context.config.limits.databytes.zip(mail.size).is_some_and(|(limit, size)| size > limit) {
        context.say("552 5.3.4 sorry, that message size exceeds my databytes limit (#5.3.4)");
        return State::Idle;
    }
    let transaction = Transaction { sender: mail.sender, recipients: Vec::new(), declared_size: mail.size };
    let Some(account) = context.account.clone() else {
        context.say("250 2.1.0 ok");
        return State::Transaction(transaction);
    };
    context.ask(Question::Sender { account, sender: transaction.sender.clone() });
    State::Asking(Asking::Sender(transaction))
}

pub(crate) fn answered(transaction: Transaction, context: &mut Context, answer: Answer) -> State {
    match answer {
        Answer::Accepted => {
            context.say("250 2.1.0 ok");
            return State::Transaction(transaction);
        }
        Answer::Refused(status, text) => context.say(&refusal(Stage::Mail, status, &text)),
        _ => context.say(&refusal(Stage::Mail, Status(4, 3, 0), "internal trouble")),
    }
    State::Idle
}
