//! [`Machine`]: the verbs of a protocol whose commands are lines and whose states are values. Each state is consumed by
//! what happens in it and gives its successor, so that a state without a mailbox cannot be asked for mail. Knows when a
//! session reads, waits or is over; the protocol knows what is said.

use std::mem;
use std::time::Instant;

use crate::lines::{Frame, Framer};
use crate::{Action, Actions, Session};

/// A state of a protocol, with the context that all its states share.
pub trait State: Sized {
    /// The settings of a session when it begins.
    type Begin;
    /// Data that last through the whole session, whatever its state.
    type Context;
    /// A question that the protocol cannot answer itself.
    type Question;
    /// The answer to such a question.
    type Answer;

    /// The first state; the greeting is in the context's actions.
    fn begin(begin: Self::Begin) -> (Self, Self::Context);

    /// The state after the end.
    fn closed() -> Self;

    /// The event that the session waits for in this state.
    fn awaits(&self) -> Awaits;

    /// Octets, CRLF included, of the longest line allowed now; `input` is what is there of it.
    fn line_limit(&self, input: &[u8], context: &Self::Context) -> usize;

    /// A line came, or one that cannot be used.
    fn line(self, frame: Frame, context: &mut Self::Context) -> Self;

    /// Content came, not empty; with the next state, how many octets of it were taken.
    fn content(self, input: &[u8], context: &mut Self::Context) -> (Self, usize) {
        let _ = context;
        (self, input.len())
    }

    /// The answer to the open question. One that does not fit is a failure of ours, and so a temporary one.
    fn answered(self, answer: Self::Answer, context: &mut Self::Context) -> Self;

    /// The TLS handshake is over; nothing said before it counts any more.
    fn secured(context: &mut Self::Context) -> Self;

    /// When the client's patience, or ours, is over, from now on. Called when the session begins to wait.
    fn deadline(&mut self, context: &Self::Context, now: Instant) -> Option<Instant>;

    /// The session ends here: the last words, and [`Action::Close`].
    fn end(self, why: End, context: &mut Self::Context);

    /// The actions under way.
    fn actions(context: &mut Self::Context) -> &mut Actions<Self::Question>;
}

/// The event that a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// A line of the client.
    Line,
    /// Content of a message.
    Content,
    /// The answer to a question.
    Answer,
    /// The TLS handshake.
    Handshake,
    /// Nothing: it is over.
    Nothing,
}

/// Why a session ends without the client's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client was silent for too long.
    Silence,
    /// The service is stopping.
    Stopping,
}

/// A session of a protocol of lines.
#[derive(Debug)]
pub struct Machine<S: State> {
    state: S,
    context: S::Context,
    input: Framer,
    deadline: Option<Instant>,
}

impl<S: State> Machine<S> {
    /// Begins a conversation; the greeting is the first action. Under [`crate::Tls::Implicit`] the handshake is over.
    #[must_use]
    pub fn new(begin: S::Begin, now: Instant) -> Self {
        let (state, context) = S::begin(begin);
        let mut session = Self { state, context, input: Framer::default(), deadline: None };
        session.wait(now);
        session
    }

    /// Takes from the input what can be taken now.
    fn work(&mut self, now: Instant) {
        loop {
            match self.state.awaits() {
                Awaits::Line => {
                    let limit = self.state.line_limit(self.input.rest(), &self.context);
                    let Some(frame) = self.input.line(limit) else { return };
                    let state = mem::replace(&mut self.state, S::closed());
                    self.state = state.line(frame, &mut self.context);
                }
                Awaits::Content if !self.input.rest().is_empty() => {
                    let state = mem::replace(&mut self.state, S::closed());
                    let (state, taken) = state.content(self.input.rest(), &mut self.context);
                    self.state = state;
                    self.input.consume(taken);
                }
                Awaits::Content | Awaits::Answer => return,
                // Input from before the handshake was not protected by it (RFC 3207 §4.2, RFC 2595 §4).
                Awaits::Handshake | Awaits::Nothing => return self.input.clear(),
            }
            self.wait(now);
        }
    }

    /// Sets the deadline for what is awaited now. A line has to be complete by then: single octets do not move it.
    fn wait(&mut self, now: Instant) {
        self.deadline = match self.state.awaits() {
            Awaits::Answer | Awaits::Nothing => None,
            Awaits::Line | Awaits::Content | Awaits::Handshake => self.state.deadline(&self.context, now),
        };
    }

    fn end(&mut self, why: End) {
        if self.state.awaits() != Awaits::Nothing {
            mem::replace(&mut self.state, S::closed()).end(why, &mut self.context);
            self.input.clear();
            self.deadline = None;
        }
    }
}

impl<S: State> Session for Machine<S> {
    type Question = S::Question;
    type Answer = S::Answer;

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        if !matches!(self.state.awaits(), Awaits::Handshake | Awaits::Nothing) {
            self.input.push(bytes);
            self.work(now);
        }
    }

    fn answer(&mut self, answer: S::Answer, now: Instant) {
        if self.state.awaits() == Awaits::Answer {
            let state = mem::replace(&mut self.state, S::closed());
            self.state = state.answered(answer, &mut self.context);
            self.wait(now);
            self.work(now);
        }
    }

    fn tls_started(&mut self, now: Instant) {
        if self.state.awaits() == Awaits::Handshake {
            self.state = S::secured(&mut self.context);
            self.wait(now);
        }
    }

    fn expire(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.end(End::Silence);
        }
    }

    fn shut_down(&mut self) {
        self.end(End::Stopping);
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn wants_input(&self) -> bool {
        matches!(self.state.awaits(), Awaits::Line | Awaits::Content)
    }

    fn next(&mut self) -> Option<Action<S::Question>> {
        S::actions(&mut self.context).take()
    }
}
