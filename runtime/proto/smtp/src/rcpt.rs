//! RCPT (RFC 5321 §4.1.1.3): the order of questions. Who may send to whom is `postkiln_admission`'s business.

use postkiln_address::Address;
use postkiln_admission::{Candidate, Refusal};
use postkiln_mail::Status;

use crate::context::Context;
use crate::mail::Transaction;
use crate::reply::{Stage, refusal};
use crate::state::{Asking, State};
use crate::{Answer, Question};

pub(crate) fn rcpt(transaction: Transaction, context: &mut Context, address: Address) -> State {
    if transaction.recipients.len() >= context.config.limits.max_recipients {
        // RFC 5321 §4.5.3.1.10: the client sends the rest in another transaction. No fault of its.
        context.say("452 4.5.3 too many recipients (#4.5.3)");
        return State::Transaction(transaction);
    }
    match context.config.policy.before(&candidate(&transaction, context, &address)) {
        Err(refusal) => refuse(transaction, context, refusal),
        Ok(address) => {
            context.ask(Question::Recipient { sender: transaction.sender.clone(), address: address.clone() });
            State::Asking(Asking::Recipient(transaction, address))
        }
    }
}

pub(crate) fn answered(transaction: Transaction, address: Address, context: &mut Context, answer: Answer) -> State {
    match answer {
        Answer::Accepted => match context.config.policy.after(&candidate(&transaction, context, &address), &address) {
            Ok(()) => admitted(transaction, address, context),
            Err(refusal) => refuse(transaction, context, refusal),
        },
        Answer::Refused(status, text) => say(transaction, context, Stage::Rcpt, status, &text),
        Answer::Authenticated(_) | Answer::Kept(_) => trouble(transaction, context),
    }
}

/// Memory comes last: it is about strangers, and about addresses that exist.
fn admitted(transaction: Transaction, address: Address, context: &mut Context) -> State {
    if !context.config.remembers || candidate(&transaction, context, &address).may_relay() {
        return accept(transaction, address, context);
    }
    context.ask(Question::Stranger { sender: transaction.sender.clone(), address: address.clone() });
    State::Asking(Asking::Stranger(transaction, address))
}

pub(crate) fn judged(transaction: Transaction, address: Address, context: &mut Context, answer: Answer) -> State {
    match answer {
        Answer::Accepted => accept(transaction, address, context),
        Answer::Refused(status, text) => say(transaction, context, Stage::Stranger, status, &text),
        Answer::Authenticated(_) | Answer::Kept(_) => trouble(transaction, context),
    }
}

fn trouble(transaction: Transaction, context: &mut Context) -> State {
    say(transaction, context, Stage::Rcpt, Status(4, 3, 0), "internal trouble")
}

fn candidate<'a>(transaction: &'a Transaction, context: &'a Context, recipient: &'a Address) -> Candidate<'a> {
    let (client, has_login) = (&context.peer.client, context.account.is_some());
    Candidate { client, has_login, sender: &transaction.sender, recipient }
}

fn accept(mut transaction: Transaction, address: Address, context: &mut Context) -> State {
    context.say("250 2.1.5 ok");
    transaction.recipients.push(address);
    State::Transaction(transaction)
}

fn refuse(transaction: Transaction, context: &mut Context, refusal: Refusal) -> State {
    let (class, subject, detail) = refusal.status;
    say(transaction, context, Stage::Rcpt, Status(class, subject, detail), &refusal.text)
}

/// Only what is refused for good counts against the client.
fn say(transaction: Transaction, context: &mut Context, stage: Stage, status: Status, text: &str) -> State {
    let reply = refusal(stage, status, text);
    if status.0 == 5 {
        let patience = context.refuse_recipient(&reply);
        return State::Transaction(transaction).after(patience);
    }
    context.say(&reply);
    State::Transaction(transaction)
}
