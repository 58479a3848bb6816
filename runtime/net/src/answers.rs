//! [`Answers`]: who answers the questions of a session.

use std::future::Future;

use postkiln_session::Session;

/// A party that knows what a session cannot know. Dropped when the connection ends, for whatever reason: an unfinished
/// message is then to be forgotten.
pub trait Answers<S: Session> {
    /// The answer to a question; takes its time, the client waits.
    fn answer(&mut self, question: S::Question) -> impl Future<Output = S::Answer>;

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
