//! A message of ours into the queue: forwards, list posts, automatic replies.

use std::io::Read;

use postkiln_ipc::queue::{Reply, Request};
use postkiln_ipc::{Channel, ChannelError};
use postkiln_mail::{Envelope, Outcome, QueueId};

use super::original::{Original, Source};
use super::{Tools, trouble};

/// Submits `prefix` and behind it the whole original, where one is given.
///
/// # Errors
/// The deferral that follows when the queue does not take it.
pub(crate) async fn submit(
    tools: &Tools,
    envelope: Envelope,
    prefix: &[u8],
    original: Option<&Original>,
) -> Result<QueueId, Outcome> {
    let source = original.map(Original::source).transpose().map_err(|error| trouble(&error.to_string()))?;
    submit_with(tools, envelope, prefix, source).await
}

/// Submits `prefix` and behind it what `source` gives.
///
/// # Errors
/// As [`submit`].
pub(crate) async fn submit_with(
    tools: &Tools,
    envelope: Envelope,
    prefix: &[u8],
    source: Option<Source>,
) -> Result<QueueId, Outcome> {
    match converse(tools, envelope, prefix, source).await {
        Ok(Reply::Accepted(id)) => Ok(id),
        Ok(Reply::Refused(status, text)) => Err(Outcome::Deferred(status, text)),
        Ok(_) => Err(trouble("the queue answered another question")),
        Err(error) => Err(trouble(&format!("the queue does not answer: {error}"))),
    }
}

async fn converse(
    tools: &Tools,
    envelope: Envelope,
    prefix: &[u8],
    source: Option<Source>,
) -> Result<Reply, ChannelError> {
    let mut channel: Channel<Request, Reply> = tools.queue.open()?;
    match channel.ask(&Request::Submit(envelope)).await? {
        Reply::Go => {}
        other => return Ok(other),
    }
    for piece in prefix.chunks(PIECE) {
        channel.send(&Request::Content(piece.to_vec())).await?;
    }
    if let Some(mut source) = source {
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
