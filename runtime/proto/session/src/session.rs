//! [`Session`]: the verbs, the same for every protocol.

use std::time::Instant;

use crate::Action;

/// A conversation with one peer, mostly a client: where a session is itself the client, its peer is the server.
///
/// The driver's loop: take [`Session::next`] until it gives `None`, doing each action; then, if
/// [`Session::wants_input`], read at most 64 KiB, no longer than until [`Session::deadline`].
pub trait Session {
    /// A question that the session cannot answer itself.
    type Question;
    /// The answer to such a question.
    type Answer;

    /// Input from the client, in pieces of any size. Ignored after the end and while a handshake is awaited.
    fn receive(&mut self, bytes: &[u8], now: Instant);

    /// The reply to the last [`Action::Ask`]. Ignored when nothing is asked.
    fn answer(&mut self, answer: Self::Answer, now: Instant);

    /// The TLS handshake that [`Action::StartTls`] asked for is over. Ignored when none is awaited.
    fn tls_started(&mut self, now: Instant);

    /// The deadline passed: the session does what is due, which mostly is to close. Does nothing before the deadline.
    fn expire(&mut self, now: Instant);

    /// The service is stopping: the session says so, if its protocol can, and closes. Not for when an answer is
    /// awaited: a message that is just being kept would be kept without the client's knowledge, and come again.
    fn shut_down(&mut self);

    /// When [`Session::expire`] is due. `None` while an answer is awaited, and after the end.
    fn deadline(&self) -> Option<Instant>;

    /// Whether reading from the client makes sense now: not while an answer or the TLS handshake is awaited, nor after
    /// the end. What is received while an answer is awaited is kept in memory.
    fn wants_input(&self) -> bool;

    /// The next action. `None` is not the end: more may come after the next input.
    fn next(&mut self) -> Option<Action<Self::Question>>;
}
