//! What the driver sees of a protocol session, and of whoever answers its questions.

use std::future::Future;
use std::time::Instant;

/// A session of any protocol: all have the same verbs.
pub trait Conversation {
    /// What it cannot know.
    type Question;
    /// What it hears back.
    type Answer;

    /// Input from the client.
    fn receive(&mut self, bytes: &[u8], now: Instant);
    /// The reply to the last question.
    fn answer(&mut self, answer: Self::Answer, now: Instant);
    /// The TLS handshake is over.
    fn tls_started(&mut self, now: Instant);
    /// The deadline passed.
    fn expire(&mut self, now: Instant);
    /// When [`Self::expire`] is due.
    fn deadline(&self) -> Option<Instant>;
    /// Whether reading from the client makes sense now.
    fn wants_input(&self) -> bool;
    /// The service is stopping: say so and close.
    fn shut_down(&mut self);
    /// What is to be done next.
    fn next_step(&mut self) -> Option<Step<Self::Question>>;
}

/// What the driver has to do.
#[derive(Debug)]
pub enum Step<Q> {
    /// Write these octets.
    Send(Vec<u8>),
    /// Find out and answer.
    Ask(Q),
    /// Hand on a piece of a message.
    Content(Vec<u8>),
    /// Forget the message.
    Abort,
    /// Begin TLS.
    StartTls,
    /// Write what is left and close.
    Close,
}

/// Whoever knows what a session cannot know. Dropped when the connection ends, for whatever reason: an unfinished message
/// is then to be forgotten.
pub trait Answers<C: Conversation> {
    /// The answer to a question; takes its time, the client waits.
    fn answer(&mut self, question: C::Question) -> impl Future<Output = C::Answer>;

    /// A piece of the message under way.
    fn content(&mut self, piece: Vec<u8>) -> impl Future<Output = ()> {
        drop(piece);
        async {}
    }

    /// The message under way will not be finished.
    fn abort(&mut self) -> impl Future<Output = ()> {
        async {}
    }
}

/// The verbs have the same names everywhere; only the actions differ.
macro_rules! conversation {
    ($protocol:ident, $($more:tt)*) => {
        impl Conversation for $protocol::Session {
            type Question = $protocol::Question;
            type Answer = $protocol::Answer;

            fn receive(&mut self, bytes: &[u8], now: Instant) {
                Self::receive(self, bytes, now);
            }
            fn answer(&mut self, answer: Self::Answer, now: Instant) {
                Self::answer(self, answer, now);
            }
            fn tls_started(&mut self, now: Instant) {
                Self::tls_started(self, now);
            }
            fn expire(&mut self, now: Instant) {
                Self::expire(self, now);
            }
            fn deadline(&self) -> Option<Instant> {
                Self::deadline(self)
            }
            fn wants_input(&self) -> bool {
                Self::wants_input(self)
            }
            fn shut_down(&mut self) {
                Self::shut_down(self);
            }
            fn next_step(&mut self) -> Option<Step<Self::Question>> {
                use $protocol::Action;
                Some(match self.next()? {
                    Action::Send(bytes) => Step::Send(bytes),
                    Action::Ask(question) => Step::Ask(question),
                    Action::StartTls => Step::StartTls,
                    Action::Close => Step::Close,
                    $($more)*
                })
            }
        }
    };
}

conversation!(postkiln_smtp, Action::Content(piece) => Step::Content(piece), Action::Abort => Step::Abort,);
conversation!(postkiln_imap,);
conversation!(postkiln_pop3,);
