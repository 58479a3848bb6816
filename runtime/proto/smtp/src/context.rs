//! Data that last through a whole session, whatever its state: the service, the peer, the login, faults so far, and the
//! actions on their way to the driver.

use std::sync::Arc;

use postkiln_session::{Action, Actions, Patience, Tls};

use crate::{Config, Listener, PIECE, Peer, Question};

/// A session apart from its state.
#[derive(Debug)]
pub struct Context {
    pub(crate) config: Arc<Config>,
    pub(crate) peer: Peer,
    pub(crate) secure: bool,
    pub(crate) hello: Option<Hello>,
    /// The logged-in account.
    pub(crate) account: Option<String>,
    pub(crate) actions: Actions<Question>,
    errors: usize,
    refused: usize,
    failed_logins: usize,
}

/// HELO or EHLO as given.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    pub(crate) name: String,
    pub(crate) extended: bool,
}

impl Context {
    pub(crate) fn new(config: Arc<Config>, peer: Peer) -> Self {
        Self {
            secure: config.tls == Tls::Implicit,
            config,
            peer,
            hello: None,
            account: None,
            actions: Actions::default(),
            errors: 0,
            refused: 0,
            failed_logins: 0,
        }
    }

    /// A reply of one line, or of several, each complete without its CRLF. Replies that follow each other go out
    /// together (RFC 2920 §3.2).
    pub(crate) fn say(&mut self, reply: &str) {
        self.actions.say(reply);
    }

    pub(crate) fn ask(&mut self, question: Question) {
        self.actions.push(Action::Ask(question));
    }

    /// Content to the driver, in pieces; mostly it is one.
    pub(crate) fn hand_on(&mut self, mut content: Vec<u8>) {
        while content.len() > PIECE {
            let rest = content.split_off(PIECE);
            self.actions.push(Action::Content(std::mem::replace(&mut content, rest)));
        }
        if !content.is_empty() {
            self.actions.push(Action::Content(content));
        }
    }

    /// A last reply.
    pub(crate) fn say_and_close(&mut self, reply: &str) {
        self.actions.say_and_close(reply);
    }

    /// A reply to a command that is unknown, malformed or out of order.
    pub(crate) fn fault(&mut self, reply: &str) -> Patience {
        self.errors += 1;
        let limit = self.config.limits.max_errors;
        self.actions.reply_to_fault(reply, self.errors, limit, "421 4.7.0 too many errors (#4.7.0)")
    }

    /// A reply that refuses a recipient.
    pub(crate) fn refuse_recipient(&mut self, reply: &str) -> Patience {
        self.refused += 1;
        let limit = self.config.limits.max_refused;
        self.actions.reply_to_fault(reply, self.refused, limit, "421 4.7.0 too many refused recipients (#4.7.0)")
    }

    /// A reply that refuses a login.
    pub(crate) fn refuse_login(&mut self, reply: &str) -> Patience {
        self.failed_logins += 1;
        let limit = self.config.limits.max_logins;
        self.actions.reply_to_fault(reply, self.failed_logins, limit, "421 4.7.0 too many failed logins (#4.7.0)")
    }

    /// AUTH is offered to users, and never in the clear.
    pub(crate) fn offers_auth(&self) -> bool {
        self.config.listener == Listener::Submission && self.secure
    }

    pub(crate) fn offers_starttls(&self) -> bool {
        self.config.tls == Tls::Starttls && !self.secure
    }

    /// The word after `with` (RFC 3848).
    pub(crate) fn protocol(&self) -> &'static str {
        let extended = self.hello.as_ref().is_some_and(|hello| hello.extended);
        match (self.secure, self.account.is_some()) {
            (true, true) => "ESMTPSA",
            (true, false) => "ESMTPS",
            (false, true) => "ESMTPA",
            (false, false) if extended => "ESMTP",
            (false, false) => "SMTP",
        }
    }
}
