//! With an open mailbox (RFC 1939 §5, §7): STAT LIST UIDL DELE RETR TOP RSET NOOP CAPA QUIT. The texts are
//! qmail-pop3d's.

use crate::authorization::capa;
use crate::command::Command;
use crate::context::{Context, one_line};
use crate::sending::Sending;
use crate::state::{Asking, State};
use crate::{Answer, Message, Question};

/// An open mailbox.
#[derive(Debug)]
pub struct Transaction {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    message: Message,
    deleted: bool,
}

impl Transaction {
    pub(crate) fn new(messages: Vec<Message>) -> Self {
        Self { entries: messages.into_iter().map(|message| Entry { message, deleted: false }).collect() }
    }

    pub(crate) fn obey(mut self, command: Command, context: &mut Context) -> State {
        match command {
            Command::Stat => self.stat(context),
            Command::List(None) => self.every(context, |message| message.size.to_string()),
            Command::Uidl(None) => self.every(context, |message| one_line(&message.id)),
            Command::List(Some(number)) => return self.one(context, &number, |message| message.size.to_string()),
            Command::Uidl(Some(number)) => return self.one(context, &number, |message| one_line(&message.id)),
            Command::Dele(number) => match self.find(&number) {
                Ok(at) => {
                    self.entries.iter_mut().skip(at).take(1).for_each(|entry| entry.deleted = true);
                    context.say("+OK");
                }
                Err(reply) => return State::Transaction(self).after(context.fault(reply)),
            },
            Command::Retr(number) => return self.send(context, &number, None),
            Command::Top(number, lines) => match lines.parse() {
                Ok(lines) => return self.send(context, &number, Some(lines)),
                Err(_) => return State::Transaction(self).after(context.fault("-ERR syntax error")),
            },
            Command::Rset => {
                self.entries.iter_mut().for_each(|entry| entry.deleted = false);
                context.say("+OK");
            }
            Command::Noop => context.say("+OK"),
            Command::Capa => capa(context),
            Command::Quit => return self.quit(context),
            Command::User(_) | Command::Pass(_) | Command::Stls => {
                return State::Transaction(self).after(context.fault("-ERR already authorized"));
            }
        }
        State::Transaction(self)
    }

    /// Messages that are not deleted, with their places.
    fn present(&self) -> impl Iterator<Item = (usize, &Message)> {
        self.entries.iter().enumerate().filter(|(_, entry)| !entry.deleted).map(|(at, entry)| (at, &entry.message))
    }

    /// §5: deleted messages are counted in neither number (qmail-pop3d counts them in the first).
    fn stat(&self, context: &mut Context) {
        let size = self.present().fold(0_u64, |sum, (_, message)| sum.saturating_add(message.size));
        context.say(&format!("+OK {} {size}", self.present().count()));
    }

    fn every(&self, context: &mut Context, show: impl Fn(&Message) -> String) {
        context.say("+OK");
        for (at, message) in self.present() {
            context.say(&format!("{} {}", at + 1, show(message)));
        }
        context.say(".");
    }

    fn one(self, context: &mut Context, number: &str, show: impl Fn(&Message) -> String) -> State {
        let found = self.find(number).and_then(|at| self.entries.get(at).map(|e| (at, &e.message)).ok_or(TOO_MANY));
        match found {
            Ok((at, message)) => context.say(&format!("+OK {} {}", at + 1, show(message))),
            Err(reply) => {
                let patience = context.fault(reply);
                return State::Transaction(self).after(patience);
            }
        }
        State::Transaction(self)
    }

    fn send(self, context: &mut Context, number: &str, body_lines: Option<u64>) -> State {
        match self.find(number) {
            Ok(at) => {
                context.ask(Question::Retrieve(at));
                State::Asking(Asking::Content(self, Sending::new(body_lines)))
            }
            Err(reply) => State::Transaction(self).after(context.fault(reply)),
        }
    }

    /// The place of a message in the list, from its number.
    fn find(&self, number: &str) -> Result<usize, &'static str> {
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(FROM_ONE);
        }
        let at = number.parse().unwrap_or(usize::MAX).checked_sub(1).ok_or(FROM_ONE)?;
        match self.entries.get(at) {
            None => Err(TOO_MANY),
            Some(Entry { deleted: true, .. }) => Err("-ERR already deleted"),
            Some(_) => Ok(at),
        }
    }

    fn quit(self, context: &mut Context) -> State {
        let deleted = self.entries.iter().enumerate().filter(|(_, entry)| entry.deleted).map(|(at, _)| at).collect();
        context.ask(Question::Commit(deleted));
        State::Asking(Asking::Commit)
    }
}

/// After QUIT's question (§6).
pub(crate) fn committed(context: &mut Context, answer: &Answer) -> State {
    match answer {
        Answer::Committed => context.say_and_close("+OK bye"),
        Answer::Refused(_, text) => context.say_and_close(&format!("-ERR [SYS/TEMP] {}", one_line(text))),
        _ => context.say_and_close("-ERR [SYS/TEMP] internal trouble"),
    }
    State::Closed
}

const FROM_ONE: &str = "-ERR messages are counted from 1";
const TOO_MANY: &str = "-ERR not that many messages";
