//! The session: its verbs, the order of actions, and deadlines.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use postkiln_session::{Fault, Frame, Framer};

use crate::authorization::{self, Authorization};
use crate::context::{Context, Patience};
use crate::state::State;
use crate::{Action, Answer, Config, command};

/// One client's conversation.
///
/// The driver's loop: take [`Session::next`] until it gives `None`, doing each action; then, if
/// [`Session::wants_input`], read at most 64 KiB, no longer than until [`Session::deadline`].
#[derive(Debug)]
pub struct Session {
    context: Context,
    state: State,
    input: Framer,
    deadline: Option<Instant>,
}

/// Octets of a command line, CRLF included. RFC 2449 §4 asks for 255; long passwords exist.
const COMMAND_LINE: usize = 512;

impl Session {
    /// Begins a conversation; the greeting is the first action. Under [`crate::Tls::Implicit`] the handshake is over.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let mut context = Context::new(config);
        context.say(&format!("+OK {} ready", context.config.hostname));
        let state = State::Authorization(Authorization::default());
        let mut session = Self { context, state, input: Framer::default(), deadline: None };
        session.wait(now);
        session
    }

    /// Input from the client, in pieces of any size. Ignored after the end and while a handshake is awaited.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        if matches!(self.state, State::Closed | State::Handshake) {
            return;
        }
        self.input.push(bytes);
        self.work(now);
    }

    /// The reply to the last [`Action::Ask`]. Ignored when nothing is asked.
    pub fn answer(&mut self, answer: Answer, now: Instant) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Asking(asking) => {
                self.state = asking.answered(answer, &mut self.context);
                self.wait(now);
                self.work(now);
            }
            other => self.state = other,
        }
    }

    /// The TLS handshake that [`Action::StartTls`] asked for is over.
    pub fn tls_started(&mut self, now: Instant) {
        if matches!(self.state, State::Handshake) {
            self.state = authorization::secured(&mut self.context);
            self.wait(now);
        }
    }

    /// The deadline passed: closes without a word and without deletions, as RFC 1939 §3 asks. Does nothing before the
    /// deadline.
    pub fn expire(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.shut_down();
        }
    }

    /// We are stopping: closes, without deletions.
    pub fn shut_down(&mut self) {
        if !matches!(self.state, State::Closed) {
            self.state = State::Closed;
            self.context.actions.push_back(Action::Close);
            self.input.clear();
            self.deadline = None;
        }
    }

    /// When [`Session::expire`] is due. `None` while an answer is awaited, and after the end.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether reading from the client makes sense now: not while an answer or the TLS handshake is awaited, nor after
    /// the end. What is received while an answer is awaited is kept in memory.
    #[must_use]
    pub const fn wants_input(&self) -> bool {
        matches!(self.state, State::Authorization(_) | State::Transaction(_))
    }

    /// The next action.
    #[allow(clippy::should_implement_trait, reason = "`None` is not the end: more may come after the next input")]
    pub fn next(&mut self) -> Option<Action> {
        self.context.actions.pop_front()
    }

    /// Takes from the input what can be taken now.
    fn work(&mut self, now: Instant) {
        while self.wants_input() {
            let Some(frame) = self.input.line(COMMAND_LINE) else { return };
            let state = mem::replace(&mut self.state, State::Closed);
            self.state = match frame {
                Frame::Line(line) => state.obey(command::parse(&line), &mut self.context),
                Frame::Broken(fault) => state.after(self.broken(fault)),
            };
            self.wait(now);
        }
        if matches!(self.state, State::Closed | State::Handshake) {
            // RFC 2595 §4: what came in the clear behind STLS does not count.
            self.input.clear();
        }
    }

    fn broken(&mut self, fault: Fault) -> Patience {
        match fault {
            Fault::BareLf | Fault::BareCr => self.context.fault("-ERR a line ends with CRLF"),
            Fault::TooLong => self.context.fault("-ERR line too long"),
            Fault::Endless => {
                self.context.say_and_close("-ERR line too long");
                Patience::Lost
            }
        }
    }

    /// Sets the deadline for what is awaited now. A line has to be complete by then: single octets do not move it.
    fn wait(&mut self, now: Instant) {
        self.deadline = match self.state {
            State::Asking(_) | State::Closed => None,
            _ => now.checked_add(self.context.config.timeout),
        };
    }
}
