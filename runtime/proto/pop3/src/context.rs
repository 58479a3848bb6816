//! What holds through a whole session, whatever its state.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::{Action, Config, Question, Tls};

/// A session apart from its state.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Arc<Config>,
    pub(crate) secure: bool,
    pub(crate) actions: VecDeque<Action>,
    errors: usize,
    failed_logins: usize,
}

/// Whether the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Left,
    /// The client was told, and the connection closes.
    Lost,
}

impl Context {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let secure = config.tls == Tls::Implicit;
        Self { config, secure, actions: VecDeque::new(), errors: 0, failed_logins: 0 }
    }

    /// Octets to the client; joined with those before them (RFC 2449 §6.6, pipelining).
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        match self.actions.back_mut() {
            Some(Action::Send(before)) => before.extend_from_slice(bytes),
            _ => self.actions.push_back(Action::Send(bytes.to_vec())),
        }
    }

    /// A line to the client; CRLF is added.
    pub(crate) fn say(&mut self, line: &str) {
        self.send(line.as_bytes());
        self.send(b"\r\n");
    }

    pub(crate) fn say_and_close(&mut self, line: &str) {
        self.say(line);
        self.actions.push_back(Action::Close);
    }

    pub(crate) fn ask(&mut self, question: Question) {
        self.actions.push_back(Action::Ask(question));
    }

    /// A reply to a command that is unknown, malformed or out of order.
    pub(crate) fn fault(&mut self, reply: &str) -> Patience {
        self.errors += 1;
        let lost = self.errors > self.config.max_errors;
        self.reply_or_close(reply, lost, "-ERR too many errors")
    }

    /// A reply that refuses a login.
    pub(crate) fn refuse_login(&mut self, reply: &str) -> Patience {
        self.failed_logins += 1;
        let lost = self.failed_logins > self.config.max_logins;
        self.reply_or_close(reply, lost, "-ERR [AUTH] too many failed logins")
    }

    fn reply_or_close(&mut self, reply: &str, lost: bool, last: &str) -> Patience {
        if lost {
            self.say_and_close(last);
            return Patience::Lost;
        }
        self.say(reply);
        Patience::Left
    }

    pub(crate) fn offers_stls(&self) -> bool {
        self.config.tls == Tls::Stls && !self.secure
    }
}

/// One line that cannot break the protocol (RFC 2449 §4: replies are at most 512 octets).
pub(crate) fn one_line(text: &str) -> String {
    text.chars().take(400).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}
