//! What holds through a whole session, whatever its state: the service, the peer, who logged in, faults so far, and the
//! actions on their way to the driver.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::{Action, Config, Listener, PIECE, Peer, Question, Tls};

/// A session apart from its state.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Arc<Config>,
    pub(crate) peer: Peer,
    pub(crate) secure: bool,
    pub(crate) hello: Option<Hello>,
    /// The logged-in account.
    pub(crate) account: Option<String>,
    pub(crate) actions: VecDeque<Action>,
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

/// Whether the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Left,
    /// The client was told, and the connection closes.
    Lost,
}

impl Context {
    pub(crate) fn new(config: Arc<Config>, peer: Peer) -> Self {
        Self {
            secure: config.tls == Tls::Implicit,
            config,
            peer,
            hello: None,
            account: None,
            actions: VecDeque::new(),
            errors: 0,
            refused: 0,
            failed_logins: 0,
        }
    }

    /// A reply of one line, or of several, each complete without its CRLF. Replies that follow each other go out
    /// together (RFC 2920 §3.2).
    pub(crate) fn say(&mut self, reply: &str) {
        match self.actions.back_mut() {
            Some(Action::Send(bytes)) => bytes.extend_from_slice(reply.as_bytes()),
            _ => self.actions.push_back(Action::Send(reply.as_bytes().to_vec())),
        }
        if let Some(Action::Send(bytes)) = self.actions.back_mut() {
            bytes.extend_from_slice(b"\r\n");
        }
    }

    pub(crate) fn ask(&mut self, question: Question) {
        self.actions.push_back(Action::Ask(question));
    }

    /// Content to the driver, in pieces; mostly it is one.
    pub(crate) fn hand_on(&mut self, mut content: Vec<u8>) {
        while content.len() > PIECE {
            let rest = content.split_off(PIECE);
            self.actions.push_back(Action::Content(std::mem::replace(&mut content, rest)));
        }
        if !content.is_empty() {
            self.actions.push_back(Action::Content(content));
        }
    }

    /// A last reply.
    pub(crate) fn say_and_close(&mut self, reply: &str) {
        self.say(reply);
        self.actions.push_back(Action::Close);
    }

    /// A reply to a command that is unknown, malformed or out of order.
    pub(crate) fn fault(&mut self, reply: &str) -> Patience {
        self.errors += 1;
        let lost = self.errors > self.config.limits.max_errors;
        self.reply_or_close(reply, lost, "421 4.7.0 too many errors (#4.7.0)")
    }

    /// A reply that refuses a recipient.
    pub(crate) fn refuse_recipient(&mut self, reply: &str) -> Patience {
        self.refused += 1;
        let lost = self.refused > self.config.limits.max_refused;
        self.reply_or_close(reply, lost, "421 4.7.0 too many refused recipients (#4.7.0)")
    }

    /// A reply that refuses a login.
    pub(crate) fn refuse_login(&mut self, reply: &str) -> Patience {
        self.failed_logins += 1;
        let lost = self.failed_logins > self.config.limits.max_logins;
        self.reply_or_close(reply, lost, "421 4.7.0 too many failed logins (#4.7.0)")
    }

    fn reply_or_close(&mut self, reply: &str, lost: bool, last: &str) -> Patience {
        if lost {
            self.say_and_close(last);
            return Patience::Lost;
        }
        self.say(reply);
        Patience::Left
    }

    /// Whether the client may send to domains that are not ours.
    pub(crate) const fn may_relay(&self) -> bool {
        self.peer.relay_client.is_some() || self.account.is_some()
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
