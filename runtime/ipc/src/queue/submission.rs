//! [`Submission`]: the caller's side of a message's way into the queue.

use postkiln_address::Address;
use postkiln_mail::{Envelope, QueueId, Status};

use super::{CONTENT, Reply, Request, pieces};
use crate::{Channel, ChannelError, Door};

/// A message that `queued` is taking. Dropping it forgets the message.
#[derive(Debug)]
pub struct Submission(Channel<Request, Reply>);

/// Why a message is not in the queue.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// `queued` does not want it, or cannot keep it; one line for the client.
    #[error("{1}")]
    Refused(Status, String),
    /// `queued` does not answer: whether the message was kept is not known after [`Submission::commit`], before
    /// it was not.
    #[error("the queue does not answer")]
    Silent(#[from] ChannelError),
}

impl Submission {
    /// Tells `queued` the envelope, in pieces, and hears whether it wants the content.
    ///
    /// # Errors
    /// When it refuses or does not answer.
    pub async fn begin(door: &Door, envelope: &Envelope) -> Result<Self, Refusal> {
        let mut channel: Channel<Request, Reply> = door.open_soon().await.map_err(ChannelError::from)?;
        channel.send(&Request::Submit(envelope.sender.clone())).await?;
        for piece in pieces(&envelope.recipients, octets) {
            channel.send(&Request::Recipients(piece.to_vec())).await?;
        }
        match channel.ask(&Request::Begin).await? {
            Reply::Go => Ok(Self(channel)),
            other => Err(refusal(other)),
        }
    }

    /// Hands over more of the message, LF line ends.
    ///
    /// # Errors
    /// When `queued` is gone.
    pub async fn content(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        for piece in bytes.chunks(CONTENT) {
            self.0.send(&Request::Content(piece.to_vec())).await?;
        }
        Ok(())
    }

    /// Says that the message is complete; when this returns it is on stable storage.
    ///
    /// # Errors
    /// When `queued` could not keep it or does not answer.
    pub async fn commit(mut self) -> Result<QueueId, Refusal> {
        match self.0.ask(&Request::Commit).await? {
            Reply::Accepted(id) => Ok(id),
            other => Err(refusal(other)),
        }
    }
}

/// An address in a frame: its parts and their lengths.
fn octets(address: &Address) -> usize {
    address.local().as_str().len() + address.domain().as_str().len() + 4
}

fn refusal(reply: Reply) -> Refusal {
    match reply {
        Reply::Refused(status, text) => Refusal::Refused(status, text),
        _ => Refusal::Silent(ChannelError::Malformed),
    }
}
