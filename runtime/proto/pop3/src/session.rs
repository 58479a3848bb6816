//! The session: its verbs, the order of actions, and deadlines.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::{Action, Answer, Config};

/// One client's conversation.
///
/// The driver's loop: take [`Session::next`] until it gives `None`, doing each action; then, if
/// [`Session::wants_input`], read at most 64 KiB, no longer than until [`Session::deadline`].
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    actions: VecDeque<Action>,
    deadline: Option<Instant>,
}

impl Session {
    /// Begins a conversation; the greeting is the first action. Under [`crate::Tls::Implicit`] the handshake is over.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let deadline = now.checked_add(config.timeout);
        let greeting = format!("+OK {} ready\r\n", config.hostname);
        Self { config, actions: VecDeque::from([Action::Send(greeting.into_bytes())]), deadline }
    }

    /// Input from the client, in pieces of any size.
    pub fn receive(&mut self, _bytes: &[u8], _now: Instant) {}

    /// The reply to the last [`Action::Ask`].
    pub fn answer(&mut self, _answer: Answer, _now: Instant) {}

    /// The TLS handshake that [`Action::StartTls`] asked for is over.
    pub fn tls_started(&mut self, _now: Instant) {}

    /// The deadline passed.
    pub fn expire(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.shut_down();
        }
    }

    /// We are stopping: says so and closes.
    pub fn shut_down(&mut self) {
        let reply = format!("-ERR [SYS/TEMP] {} is stopping\r\n", self.config.hostname);
        self.actions.extend([Action::Send(reply.into_bytes()), Action::Close]);
        self.deadline = None;
    }

    /// When [`Session::expire`] is due. `None` while an answer is awaited, and after the end.
    #[must_use]
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether reading from the client makes sense now: not while an answer or the TLS handshake is awaited, nor after
    /// the end. What is received all the same is kept in memory.
    #[must_use]
    pub const fn wants_input(&self) -> bool {
        self.deadline.is_some()
    }

    /// The next action.
    #[allow(clippy::should_implement_trait, reason = "`None` is not the end: more may come after the next input")]
    pub fn next(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}
