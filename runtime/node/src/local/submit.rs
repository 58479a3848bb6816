//! A message of ours into the queue: forwards, list posts, automatic replies.

use std::io::{self, Read};

use postkiln_ipc::queue::{Reply, Request};
use postkiln_ipc::{Channel, ChannelError};
use postkiln_mail::{Envelope, Outcome, QueueId};

use super::original::{Original, Source};
use super::{TRIES, Tools, trouble};

/// What stands behind the prefix.
#[derive(Clone, Copy)]
pub(crate) enum Rest<'a> {
    /// Nothing.
    Nothing,
    /// The whole original.
    Whole(&'a Original),
    /// The original without its header.
    Body(&'a Original),
}

impl Rest<'_> {
    fn source(self) -> io::Result<Option<Source>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Whole(original) => original.source().map(Some),
            Self::Body(original) => original.body().map(Some),
        }
    }
}

/// Submits `prefix` and the rest.
///
/// # Errors
/// The deferral that follows when the queue does not take it.
pub(crate) async fn submit(
    tools: &Tools,
    envelope: Envelope,
    prefix: &[u8],
    rest: Rest<'_>,
) -> Result<QueueId, Outcome> {
    let mut reply = converse(tools, &envelope, prefix, rest).await;
    // A queue that died in the middle may have kept the message: then it comes twice, as it would after a deferral.
    for _ in 1..TRIES {
        if reply.is_ok() {
            break;
        }
        reply = converse(tools, &envelope, prefix, rest).await;
    }
    match reply {
        Ok(Reply::Accepted(id)) => Ok(id),
        Ok(Reply::Refused(status, text)) => Err(Outcome::Deferred(status, text)),
        Ok(_) => Err(trouble("the queue answered another question")),
        Err(error) => Err(trouble(&format!("the queue does not answer: {error}"))),
    }
}

async fn converse(tools: &Tools, envelope: &Envelope, prefix: &[u8], rest: Rest<'_>) -> Result<Reply, ChannelError> {
    let mut channel: Channel<Request, Reply> = tools.queue.open()?;
    match channel.ask(&Request::Submit(envelope.clone())).await? {
        Reply::Go => {}
        other => return Ok(other),
    }
    for piece in prefix.chunks(PIECE) {
        channel.send(&Request::Content(piece.to_vec())).await?;
    }
    if let Some(mut source) = rest.source()? {
        let mut piece = vec![0; PIECE];
        loop {
            let read = source.read(&mut piece)?;
            if read == 0 {
                break;
            }
            channel.send(&Request::Content(piece.get(..read).unwrap_or_default().to_vec())).await?;
        }
    }
    channel.ask(&Request::Commit).await
}

/// What one `Content` may carry.
const PIECE: usize = 64 << 10;
