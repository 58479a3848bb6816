//! The actions that a session wants from its driver.

use std::collections::VecDeque;

/// Actions for the driver, in this order. `Q` is the protocol's type of questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<Q> {
    /// Write these octets to the client.
    Send(Vec<u8>),
    /// Find out, then call [`crate::Session::answer`]. Until then the session takes nothing from its input.
    Ask(Q),
    /// A piece of the message that the last question announced. No answer; the driver does not read from the client
    /// before it has handed the piece on. Only SMTP has messages of unbounded length.
    Content(Vec<u8>),
    /// Forget the message that was begun: it will not be finished. No answer.
    Abort,
    /// After all earlier `Send`s are written: start the TLS handshake, then call [`crate::Session::tls_started`].
    StartTls,
    /// Write what is left, shut the sending side down and close. A client that is still sending should be drained for a
    /// moment, or it never sees the last reply.
    Close,
}

/// How TLS begins on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// The handshake is over when the session begins (RFC 8314 §3).
    Implicit,
    /// The client may ask for it: STARTTLS (RFC 3207, RFC 3501 §6.2.1), STLS (RFC 2595 §4). Nobody logs in before.
    Starttls,
    /// There is no certificate: nobody can log in.
    Unavailable,
}

/// Actions that wait for the driver.
#[derive(Debug)]
pub struct Actions<Q>(VecDeque<Action<Q>>);

/// Whether a session goes on after a fault of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The session goes on.
    Left,
    /// The client was told, and the connection closes.
    Lost,
}

impl<Q> Default for Actions<Q> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<Q> Actions<Q> {
    /// Adds an action after all others.
    pub fn push(&mut self, action: Action<Q>) {
        self.0.push_back(action);
    }

    /// The first action that is not yet done.
    pub fn take(&mut self) -> Option<Action<Q>> {
        self.0.pop_front()
    }

    /// Octets to the client, joined with those before them: replies to pipelined commands go out together.
    pub fn send(&mut self, bytes: &[u8]) {
        match self.0.back_mut() {
            Some(Action::Send(before)) => before.extend_from_slice(bytes),
            _ => self.push(Action::Send(bytes.to_vec())),
        }
    }

    /// A line to the client; CRLF is added.
    pub fn say(&mut self, line: &str) {
        self.send(line.as_bytes());
        self.send(b"\r\n");
    }

    /// A last line.
    pub fn say_and_close(&mut self, line: &str) {
        self.say(line);
        self.push(Action::Close);
    }

    /// A reply to a fault of the client, or `last` and the end once `limit` faults are borne and this is one more.
    pub fn reply_to_fault(&mut self, reply: &str, faults: usize, limit: usize, last: &str) -> Patience {
        if faults > limit {
            self.say_and_close(last);
            return Patience::Lost;
        }
        self.say(reply);
        Patience::Left
    }
}
