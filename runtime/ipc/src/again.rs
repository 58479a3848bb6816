//! The rule for a neighbour that goes away in the middle of a conversation: its question is asked again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Channel, ChannelError, Door};

/// Does something again whose conversation broke, three times in all. `init` keeps the calls of a role that it
/// starts anew, so the next conversation waits for it and needs no pause before. Everything that is done so must
/// bear being done twice.
///
/// # Errors
/// The last error.
pub async fn again<T, E>(is_broken: impl Fn(&E) -> bool, mut work: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
    let mut done = work().await;
    for _ in 1..TRIES {
        match &done {
            Err(error) if is_broken(error) => done = work().await,
            _ => break,
        }
    }
    done
}

/// The same as [`again`] for code that blocks.
pub(crate) fn again_blocking<T>(mut work: impl FnMut() -> Result<T, ChannelError>) -> Result<T, ChannelError> {
    let mut done = work();
    for _ in 1..TRIES {
        match &done {
            Err(error) if error.is_broken() => done = work(),
            _ => break,
        }
    }
    done
}

/// The questions to one callee: a conversation that is begun with the first, kept for the next, and begun anew
/// when it broke.
#[derive(Debug)]
pub(crate) struct Line<S, R> {
    door: Arc<Door>,
    kept: Option<Channel<S, R>>,
}

impl<S: Serialize, R: DeserializeOwned> Line<S, R> {
    /// Begins no conversation yet.
    pub(crate) const fn new(door: Arc<Door>) -> Self {
        Self { door, kept: None }
    }

    /// Asks one question, and again where the conversation broke.
    pub(crate) async fn ask(&mut self, question: &S) -> Result<R, ChannelError> {
        again(ChannelError::is_broken, async || self.try_ask(question).await).await
    }

    /// The same as [`Self::ask`] with an end: an answer that comes later is never taken for the next question's.
    pub(crate) async fn ask_within(&mut self, patience: Duration, question: &S) -> Result<R, ChannelError> {
        let asked = tokio::time::timeout(patience, self.ask(question)).await;
        asked.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    async fn try_ask(&mut self, question: &S) -> Result<R, ChannelError> {
        let mut channel = match self.kept.take() {
            Some(channel) => channel,
            None => self.door.open_soon().await?,
        };
        let reply = channel.ask(question).await?;
        self.kept = Some(channel);
        Ok(reply)
    }
}

const TRIES: usize = 3;
