//! Data that last through a whole session, whatever its state.

use std::sync::Arc;

use postkiln_session::{Action, Actions, Patience, Tls};

use crate::{Config, Question};

/// A session apart from its state.
#[derive(Debug)]
pub struct Context {
    pub(crate) config: Arc<Config>,
    pub(crate) secure: bool,
    pub(crate) actions: Actions<Question>,
    errors: usize,
    failed_logins: usize,
}

impl Context {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let secure = config.tls == Tls::Implicit;
        Self { config, secure, actions: Actions::default(), errors: 0, failed_logins: 0 }
    }

    /// Octets to the client; joined with those before them (RFC 2449 §6.6, pipelining).
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.actions.send(bytes);
    }

    /// A line to the client; CRLF is added.
    pub(crate) fn say(&mut self, line: &str) {
        self.actions.say(line);
    }

    pub(crate) fn say_and_close(&mut self, line: &str) {
        self.actions.say_and_close(line);
    }

    pub(crate) fn ask(&mut self, question: Question) {
        self.actions.push(Action::Ask(question));
    }

    /// A reply to a command that is unknown, malformed or out of order.
    pub(crate) fn fault(&mut self, reply: &str) -> Patience {
        self.errors += 1;
        self.actions.reply_to_fault(reply, self.errors, self.config.max_errors, "-ERR too many errors")
    }

    /// A reply that refuses a login.
    pub(crate) fn refuse_login(&mut self, reply: &str) -> Patience {
        self.failed_logins += 1;
        let limit = self.config.max_logins;
        self.actions.reply_to_fault(reply, self.failed_logins, limit, "-ERR [AUTH] too many failed logins")
    }

    pub(crate) fn offers_stls(&self) -> bool {
        self.config.tls == Tls::Starttls && !self.secure
    }
}

/// One line that cannot break the protocol (RFC 2449 §4: replies are at most 512 octets).
pub(crate) fn one_line(text: &str) -> String {
    text.chars().take(400).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}
