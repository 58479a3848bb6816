//! The thread that writes: it takes what came while the last batch was synced, and makes one batch of it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::log::{Entries, Log};
use crate::storage::Folder;
use crate::{Id, JournalError};

/// A record on its way to the thread.
pub(crate) struct Request {
    pub(crate) entries: Entries,
    /// Whether it accepts a message, which needs more room than marks.
    pub(crate) accepts: bool,
    /// Messages whose content has a file that goes when the record is refused.
    pub(crate) large: Vec<Id>,
    pub(crate) done: oneshot::Sender<Result<(), JournalError>>,
}

/// A record whose batch is not stable yet. The caller may block on it ([`Pending::wait`]), await it, or drop it: the
/// record is written all the same.
#[derive(Debug)]
pub struct Pending(pub(crate) oneshot::Receiver<Result<(), JournalError>>);

impl Pending {
    pub(crate) fn new() -> (oneshot::Sender<Result<(), JournalError>>, Self) {
        let (done, pending) = oneshot::channel();
        (done, Self(pending))
    }

    /// Blocks until the record is stable.
    ///
    /// # Errors
    /// When it is not, and may never be: nobody may be told that it is.
    ///
    /// # Panics
    /// Inside of an asynchronous task, which awaits it instead.
    pub fn wait(self) -> Result<(), JournalError> {
        self.0.blocking_recv().unwrap_or(Err(JournalError::Closed))
    }
}

impl Future for Pending {
    type Output = Result<(), JournalError>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|result| result.unwrap_or(Err(JournalError::Closed)))
    }
}

pub(crate) fn start(log: Log) -> std::io::Result<(Sender<Request>, std::thread::JoinHandle<()>)> {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || run(log, &receiver))?;
    Ok((sender, thread))
}

fn run(mut log: Log, receiver: &Receiver<Request>) {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match receiver.recv() {
                Ok(request) => waiting.push_back(request),
                Err(_) => return,
            }
        }
        waiting.extend(receiver.try_iter());
        commit(&mut log, &mut waiting);
    }
}

/// Writes one batch from the front of those that wait, and answers them.
pub(crate) fn commit(log: &mut Log, waiting: &mut VecDeque<Request>) {
    let has_room = log.has_room();
    let mut records = if has_room { log.next_moves(log.options.longest() / 2) } else { Vec::new() };
    let mut batch = Vec::new();
    let mut octets = 0;
    while let Some(request) = waiting.front() {
        octets += request.entries.len();
        if octets > log.options.longest() && !batch.is_empty() {
            break;
        }
        let Some(request) = waiting.pop_front() else { break };
        if request.accepts && !has_room {
            refuse(log, request);
        } else {
            records.push(request.entries);
            batch.push(request.done);
        }
    }
    if batch.is_empty() {
        return;
    }
    let result = log.write(&records);
    log.remove_ended();
    for done in batch {
        // A caller that went away is told nothing; its record counts all the same.
        let _ = done.send(result.clone());
    }
}

fn refuse(log: &Log, request: Request) {
    for id in request.large {
        let _ = log.storage.remove(Folder::Large, &id.to_string());
    }
    let _ = request.done.send(Err(JournalError::Full));
}
