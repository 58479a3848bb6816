//! The queue on disk (qmail-queue's and qmail-send's files) and the times of its attempts. Knows nothing about how a
//! message is delivered, what a notice says, sockets or clocks. Start at [`Queue`], then [`Scheduler`].
//!
//! # States on disk
//!
//! `messages/ID` holds a sealed header, the envelope, the content and a journal of marks (`entry.rs`, `journal.rs`). Header
//! and content are written first, without order; `fdatasync` makes them stable, `fsync` of `messages/` the name. Only then may
//! anybody say 250. The seal covers sizes and checksums of everything before the journal, so that a header which reached
//! the disk before its content is recognised.
//!
//! | state | `messages/ID` | means | recovery |
//! |---|---|---|---|
//! | M0 | absent | unknown or finished | – |
//! | M1 | shorter than a header, or its seal is zero | being received; nobody was told 250 | removed |
//! | M2 | sealed, checksums hold | queued | kept, all recipients without a `D` mark waiting |
//! | M3 | sealed, a checksum fails | crashed before 250, or the disk lies | moved to `damaged/ID`, reported |
//! | M4 | M2 with a torn last mark | crashed while marking | as M2; the torn mark is cut off: the recipient is tried again |
//! | M5 | M2 where every recipient has its mark | crashed between the last mark and the removal | removed |
//! | M6 | a name that is no queue id | not ours | moved to `damaged/`, reported |
//!
//! Marks are not synced: after a power cut a recipient may get a message again (the window qmail has). A notice is a message
//! of its own and is accepted before the failed recipients are marked.

mod checksum;
mod entries;
mod entry;
mod error;
mod incoming;
mod journal;
mod message;
mod recovery;
pub mod retry;
mod scheduler;
mod storage;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::SystemTime;

use postkiln_mail::{Envelope, QueueId};

use entries::Entries;
pub use error::QueueError;
pub use incoming::Incoming;
pub use message::{Message, Recipient};
pub use recovery::{Finding, Recovered};
pub use retry::Channel;
pub use scheduler::{Attempt, Ended, Failure, Limits, Scheduler, Step, Work};
use storage::{Directory, Storage};

/// The open queue. Cheap to clone; every method may block on the disk.
#[derive(Clone)]
pub struct Queue {
    storage: Arc<dyn Storage>,
    entries: Arc<Entries>,
    nonce: u16,
    sequence: Arc<AtomicU16>,
}

impl Queue {
    /// Opens the queue below `directory`, makes what is missing, takes the lock that keeps other writers out, and sorts out
    /// what an earlier process left. `nonce` is any number that differs from one start to the next.
    ///
    /// # Errors
    /// When the directory cannot be used or another process holds it.
    pub fn open(directory: &Path, nonce: u16) -> Result<(Self, Recovered), QueueError> {
        let storage = Directory::open(directory)?;
        Self::over(Arc::new(storage), nonce)
    }

    pub(crate) fn over(storage: Arc<dyn Storage>, nonce: u16) -> Result<(Self, Recovered), QueueError> {
        let recovered = recovery::recover(storage.as_ref())?;
        let queue = Self { storage, entries: Arc::default(), nonce, sequence: Arc::default() };
        Ok((queue, recovered))
    }

    /// Begins a message that arrives at `now`.
    ///
    /// # Errors
    /// When no file can be made.
    pub fn begin(&self, now: SystemTime, envelope: Envelope) -> Result<Incoming, QueueError> {
        self.entries.check()?;
        let id = self.next_id(now)?;
        Incoming::create(self.clone(), id, now, envelope)
    }

    /// A descriptor of the message's file for one attempt: read-only, with a position of its own.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn reader(&self, message: &Message) -> Result<OwnedFd, QueueError> {
        self.storage.reader(message.id.as_str()).map_err(QueueError::io("read message", &message.id))
    }

    /// Marks a recipient as done; not synced.
    ///
    /// # Errors
    /// When the mark cannot be written: the message is still right, but the recipient may be tried again after a restart.
    pub fn mark_done(&self, message: &mut Message, recipient: usize) -> Result<(), QueueError> {
        if let Some(entry) = message.recipients.get_mut(recipient) {
            entry.done = true;
        }
        self.note(message, &journal::Record::done(recipient))
    }

    /// Notes that an attempt was deferred and why; not synced.
    ///
    /// # Errors
    /// When the note cannot be written: only the count and the text are lost.
    pub fn note_deferral(&self, message: &mut Message, recipient: usize, text: &str) -> Result<(), QueueError> {
        let Some(entry) = message.recipients.get_mut(recipient) else { return Ok(()) };
        entry.attempts = entry.attempts.saturating_add(1);
        text.clone_into(&mut entry.text);
        let record = journal::Record::deferred(recipient, entry.attempts, text);
        self.note(message, &record)
    }

    /// Forgets a finished message; not synced.
    ///
    /// # Errors
    /// When the file cannot be removed: it is found again at the next start.
    pub fn remove(&self, id: &QueueId) -> Result<(), QueueError> {
        self.storage.remove(id.as_str()).map_err(QueueError::io("remove message", id))
    }

    fn note(&self, message: &mut Message, record: &journal::Record) -> Result<(), QueueError> {
        let bytes = record.encode();
        let write = || self.storage.open(message.id.as_str())?.write_at(&bytes, message.journal_end);
        write().map_err(QueueError::io("mark message", &message.id))?;
        message.journal_end += bytes.len() as u64;
        Ok(())
    }

    /// Eight digits of the second, four of this start, four that count: unique unless the clock comes to the same second again
    /// with the same nonce and count; then the file's exclusive creation fails.
    fn next_id(&self, now: SystemTime) -> Result<QueueId, QueueError> {
        let seconds = message::unix_seconds(now) & 0xffff_ffff;
        let count = self.sequence.fetch_add(1, Ordering::Relaxed);
        let text = format!("{seconds:08x}{:04x}{count:04x}", self.nonce);
        QueueId::new(&text).ok_or(QueueError::Name(text))
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("nonce", &self.nonce).finish_non_exhaustive()
    }
}
