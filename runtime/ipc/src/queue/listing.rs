//! [`Listing`]: the messages of the queue, as they come; they may be of any number.

use super::{Entry, Reply, Request, Waiting};
use crate::{Channel, ChannelError, Door};

/// A listing that `queued` is giving.
#[derive(Debug)]
pub struct Listing(Channel<Request, Reply>);

/// A part of the listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The next message.
    Message(Entry),
    /// Recipients of the last message that are not yet done.
    Waiting(Vec<Waiting>),
}

impl Listing {
    /// Asks for all messages.
    ///
    /// # Errors
    /// When `queued` does not answer.
    pub async fn begin(door: &Door) -> Result<Self, ChannelError> {
        let mut channel: Channel<Request, Reply> = door.open()?;
        channel.send(&Request::List).await?;
        Ok(Self(channel))
    }

    /// The next part; `None` after the last.
    ///
    /// # Errors
    /// When `queued` does not answer.
    pub async fn next(&mut self) -> Result<Option<Listed>, ChannelError> {
        match self.0.answer().await? {
            Reply::Entry(entry) => Ok(Some(Listed::Message(entry))),
            Reply::Waiting(waiting) => Ok(Some(Listed::Waiting(waiting))),
            Reply::Done => Ok(None),
            _ => Err(ChannelError::Malformed),
        }
    }
}
