//! The session: its verbs, the order of actions, and deadlines.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use postkiln_session::{Fault, Frame, Framer};

use crate::context::{Context, Patience};
use crate::state::State;
use crate::{Action, Answer, Config, Listener, Peer, auth, command, starttls};

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

/// Octets of a command line, CRLF included: RFC 5321 §4.5.3.1.4, and what SIZE (RFC 1870 §3), BODY (RFC 6152 §2) and
/// AUTH (RFC 4954 §3) add to MAIL.
const COMMAND_LINE: usize = 512 + 26 + 17 + 500;

impl Session {
    /// Begins a conversation; the greeting is the first action. Under [`crate::Tls::Implicit`] the handshake is over.
    #[must_use]
    pub fn new(config: Arc<Config>, peer: Peer, now: Instant) -> Self {
        let greeting = format!("220 {} ESMTP", config.greeting);
        let mut context = Context::new(config, peer);
        context.say(&greeting);
        let mut session = Self { context, state: State::Idle, input: Framer::default(), deadline: None };
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
            self.state = starttls::started(&mut self.context);
            self.wait(now);
        }
    }

    /// The deadline passed: says so and closes. Does nothing before the deadline.
    pub fn expire(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.end("451 4.4.2 timeout (#4.4.2)");
        }
    }

    /// We are stopping: says so and closes. Content under way is aborted. Meant for when no answer is awaited: a message
    /// that is just being kept would be kept without the client's knowledge, and come again.
    pub fn shut_down(&mut self) {
        let reply = format!("421 4.3.2 {} is stopping (#4.3.2)", self.context.config.hostname);
        self.end(&reply);
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
        matches!(self.state, State::Idle | State::Transaction(_) | State::Exchange(_) | State::Receiving(_))
    }

    /// The next action.
    #[allow(clippy::should_implement_trait, reason = "`None` is not the end: more may come after the next input")]
    pub fn next(&mut self) -> Option<Action> {
        self.context.actions.pop_front()
    }

    /// Takes from the input what can be taken now.
    fn work(&mut self, now: Instant) {
        loop {
            let went_on = match mem::replace(&mut self.state, State::Closed) {
                State::Receiving(receiving) if !self.input.rest().is_empty() => {
                    let (state, taken) = receiving.receive(self.input.rest(), &mut self.context);
                    self.state = state;
                    self.input.consume(taken);
                    true
                }
                state @ (State::Idle | State::Transaction(_) | State::Exchange(_)) => self.line(state),
                state => {
                    self.state = state;
                    false
                }
            };
            if matches!(self.state, State::Closed | State::Handshake) {
                self.input.clear();
            }
            if !went_on {
                return;
            }
            self.wait(now);
        }
    }

    /// Takes one line, if there is one.
    fn line(&mut self, state: State) -> bool {
        let Some(frame) = self.input.line(self.line_limit(&state)) else {
            self.state = state;
            return false;
        };
        self.state = match (frame, state) {
            (Frame::Line(line), State::Exchange(exchange)) => exchange.response(&line, &mut self.context),
            (Frame::Line(line), state) => {
                let command = command::parse(&line, &self.context.config.hostname);
                state.obey(command, &mut self.context)
            }
            (Frame::Broken(fault), state) => {
                let patience = self.broken(fault);
                // A response that cannot be read ends its exchange (RFC 4954 §4).
                let state = if matches!(state, State::Exchange(_)) { State::Idle } else { state };
                state.after(patience)
            }
        };
        true
    }

    /// A response may be longer than a command, and an initial response stands in the command line.
    fn line_limit(&self, state: &State) -> usize {
        let is_auth = self.input.rest().get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        match state {
            State::Exchange(_) => auth::RESPONSE_LINE,
            _ if is_auth && self.context.config.listener == Listener::Submission => auth::RESPONSE_LINE,
            _ => COMMAND_LINE,
        }
    }

    fn broken(&mut self, fault: Fault) -> Patience {
        match fault {
            Fault::BareLf | Fault::BareCr => self.context.fault("500 5.5.2 a line ends with CRLF (#5.5.2)"),
            Fault::TooLong => self.context.fault("500 5.5.6 line too long (#5.5.6)"),
            Fault::Endless => {
                self.context.say_and_close("421 4.5.0 line too long (#4.5.0)");
                Patience::Lost
            }
        }
    }

    /// Sets the deadline for what is awaited now. A line has to be complete by then: single octets do not move it.
    fn wait(&mut self, now: Instant) {
        let limits = &self.context.config.limits;
        let idle = now.checked_add(limits.timeout);
        self.deadline = match &mut self.state {
            State::Asking(_) | State::Closed => None,
            State::Receiving(receiving) => {
                let since = *receiving.since.get_or_insert(now);
                idle.min(since.checked_add(limits.message_time))
            }
            _ => idle,
        };
    }

    fn end(&mut self, reply: &str) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Closed => return,
            State::Receiving(mut receiving) => receiving.abort(&mut self.context),
            _ => {}
        }
        self.context.say_and_close(reply);
        self.input.clear();
        self.deadline = None;
    }
}
