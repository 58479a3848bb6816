//! A message of ours into the queue: forwards, list posts, automatic replies.

use std::io::{self, Read};

use postkiln_ipc::queue::{CONTENT, Refusal, Submission};
use postkiln_ipc::{ChannelError, again};
use postkiln_mail::{Envelope, Outcome, QueueId};

use super::original::{Original, Source};
use super::{Tools, trouble};
use crate::aside::aside;

/// The text that stands behind the prefix.
#[derive(Clone, Copy)]
pub(crate) enum Rest<'a> {
    /// No further text.
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
    let is_broken = |refusal: &Refusal| matches!(refusal, Refusal::Silent(error) if error.is_broken());
    // A queue that died in the middle may have kept the message: then it comes twice, as it would after a deferral.
    let kept = again(is_broken, async || converse(tools, &envelope, prefix, rest).await).await;
    kept.map_err(|refusal| match refusal {
        Refusal::Refused(status, text) => Outcome::Deferred(status, text),
        silent @ Refusal::Silent(_) => trouble(&postkiln_log::chain(&silent)),
    })
}

async fn converse(tools: &Tools, envelope: &Envelope, prefix: &[u8], rest: Rest<'_>) -> Result<QueueId, Refusal> {
    let mut submission = Submission::begin(&tools.queue, envelope).await?;
    submission.content(prefix).await?;
    if let Some(mut source) = rest.source().map_err(ChannelError::from)? {
        loop {
            let read = aside(move || {
                let mut piece = vec![0; CONTENT];
                let read = source.read(&mut piece)?;
                piece.truncate(read);
                Ok((source, piece))
            });
            let piece;
            (source, piece) = read.await.map_err(ChannelError::from)?;
            if piece.is_empty() {
                break;
            }
            submission.content(&piece).await?;
        }
    }
    submission.commit().await
}
