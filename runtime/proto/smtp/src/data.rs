//! DATA (RFC 5321 §4.1.1.4): from the question whether a message may begin to the reply that it is kept.

use std::time::Instant;

use postkiln_mail::{Envelope, Status};
use postkiln_session::Action;

use crate::content::{Decoder, Progress, Refusal};
use crate::context::Context;
use crate::mail::Transaction;
use crate::reply::{Stage, refusal};
use crate::state::{Asking, State};
use crate::{Answer, Begin, Question};

/// Content is coming.
#[derive(Debug)]
pub struct Receiving {
    decoder: Decoder,
    /// When the first piece was awaited; set by the session, which knows the time.
    pub(crate) since: Option<Instant>,
    aborted: bool,
}

pub(crate) fn data(transaction: Transaction, context: &mut Context) -> State {
    if transaction.recipients.is_empty() {
        let patience = context.fault("503 5.5.1 RCPT first (#5.5.1)");
        return State::Transaction(transaction).after(patience);
    }
    let Transaction { sender, recipients, declared_size, .. } = transaction;
    context.ask(Question::Begin(Begin {
        envelope: Envelope { sender, recipients },
        helo: context.hello.as_ref().map(|hello| hello.name.clone()),
        protocol: context.protocol(),
        account: context.account.clone(),
        declared_size,
    }));
    State::Asking(Asking::Begin)
}

/// After the question whether the message may begin.
pub(crate) fn begun(context: &mut Context, answer: Answer) -> State {
    match answer {
        Answer::Accepted => {
            context.say("354 go ahead");
            let decoder = Decoder::new(&context.config.limits);
            return State::Receiving(Receiving { decoder, since: None, aborted: false });
        }
        Answer::Refused(status, text) => context.say(&refusal(Stage::Data, status, &text)),
        _ => context.say(&refusal(Stage::Data, Status(4, 3, 0), "internal trouble")),
    }
    State::Idle
}

/// After the question to keep the message.
pub(crate) fn finished(context: &mut Context, answer: Answer) -> State {
    match answer {
        Answer::Kept(id) => context.say(&format!("250 2.0.0 ok qp {id}")),
        Answer::Refused(status, text) => context.say(&refusal(Stage::Data, status, &text)),
        _ => context.say(&refusal(Stage::Data, Status(4, 3, 0), "internal trouble")),
    }
    State::Idle
}

impl Receiving {
    /// Reads content from `input`; gives the next state and how many octets were taken.
    pub(crate) fn receive(mut self, input: &[u8], context: &mut Context) -> (State, usize) {
        let mut content = Vec::with_capacity(input.len());
        let progress = self.decoder.decode(input, &mut content);
        context.hand_on(content);
        if self.decoder.refusal().is_some() {
            self.abort(context);
        }
        match progress {
            Progress::More => (State::Receiving(self), input.len()),
            Progress::End(taken) => (self.end(context), taken),
            Progress::Broken => {
                self.abort(context);
                context.say_and_close("451 4.6.0 See https://cr.yp.to/docs/smtplf.html.");
                (State::Closed, input.len())
            }
            Progress::Endless => {
                context.say_and_close(TOO_BIG);
                (State::Closed, input.len())
            }
        }
    }

    /// Tells the driver, once, that the message will not be finished.
    pub(crate) fn abort(&mut self, context: &mut Context) {
        if !self.aborted {
            self.aborted = true;
            context.actions.push(Action::Abort);
        }
    }

    fn end(self, context: &mut Context) -> State {
        match self.decoder.refusal() {
            None => {
                context.ask(Question::Finish);
                return State::Asking(Asking::Finish);
            }
            Some(Refusal::TooBig) => context.say(TOO_BIG),
            Some(Refusal::Looping) => context.say("554 5.4.6 too many hops, this message is looping (#5.4.6)"),
            Some(Refusal::LongLine) => {
                let limit = context.config.limits.content_line;
                context.say(&format!("554 5.6.0 a line of the message is over {limit} octets (#5.6.0)"));
            }
        }
        State::Idle
    }
}

const TOO_BIG: &str = "552 5.3.4 sorry, that message size exceeds my databytes limit (#5.3.4)";
