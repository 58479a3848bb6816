//! The queue on disk (qmail-queue's and qmail-send's files) and the times of its attempts. Knows nothing about how a
//! message is delivered, what a notice says, sockets or clocks. Start at [`Queue`], then [`Scheduler`].
//!
//! # States on disk
//!
//! `messages/ID` holds a sealed header, the envelope, the content and a journal of marks (`entry.rs`, `journal.rs`).
//! Header and content are written first, without order; `fdatasync` makes them stable, `fsync` of `messages/` the name.
//! Only then may anybody say 250. The seal covers sizes and checksums of everything before the journal, so that a
//! header which reached the disk before its content is recognised.
//!
//! | state | `messages/ID` | means | recovery |
//! |---|---|---|---|
//! | M0 | absent | unknown or finished | – |
//! | M1 | shorter than a header, or its seal is zero | being received; nobody was told 250 | removed |
//! | M2 | sealed, checksums hold | queued | kept, all recipients without a `D` mark waiting |
//! | M3 | sealed, a checksum fails | crashed before 250, or the disk lies | moved to `damaged/ID`, reported |
//! | M4 | M2 with a torn last mark | crashed while marking | as M2; the torn mark is cut off: the recipient is tried again |
//! | M5 | M2 where every recipient has its mark | crashed between the last mark and the removal | removed |
//! | M6 | a name that is no queue id, or no ordinary file | not ours | moved to `damaged/`, reported |
//! | M7 | cannot be read, moved or removed | the disk is in trouble | left, reported; the next start looks again |
//!
//! No entry keeps the others from being read. A deferral is synced with the time of the next attempt, so that a restart
//! makes nothing due before its time. Done marks are not synced: after a power cut a recipient may get a message again
//! (the window qmail has). A notice is a message of its own and is accepted before the failed recipients are marked.

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

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

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::SystemTime;

use postkiln_mail::{Envelope, QueueId};

use entries::Entries;
pub use error::QueueError;
pub use incoming::Incoming;
pub use message::{Deferral, Marks, Message, Recipient};
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
    /// Opens the queue below `directory`, makes missing parts, takes the lock that keeps other writers out, and sorts
    /// out the remains of an earlier process. `nonce` is any number that differs from one start to the next.
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

    /// Looks again at entries that were [`Finding::Stuck`], by their names.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn look_again(&self, stuck: &BTreeSet<String>) -> Result<Recovered, QueueError> {
        recovery::sort(self.storage.as_ref(), |name| stuck.contains(name))
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
    /// [`QueueError::Gone`] when there is no such file any more, another one when it cannot be opened now.
    pub fn reader(&self, id: &QueueId) -> Result<OwnedFd, QueueError> {
        let name = id.as_str();
        let open = || match self.storage.is_file(name) {
            Ok(true) => self.storage.reader(name),
            Ok(false) => Err(ErrorKind::IsADirectory.into()),
            Err(error) => Err(error),
        };
        open().map_err(|source| match source.kind() {
            ErrorKind::NotFound | ErrorKind::IsADirectory => QueueError::Gone(id.to_string()),
            _ => QueueError::io("read message", id)(source),
        })
    }

    /// Writes marks into the message's file. A deferral is synced: its time survives the power. Done marks are not: a
    /// lost one means one delivery too many, and a sync for each would double what a delivery costs.
    ///
    /// # Errors
    /// When they cannot be written: the message is still right, but recipients may be tried again after a restart.
    pub fn write(&self, marks: &Marks) -> Result<(), QueueError> {
        let mut end = marks.journal.end();
        let mut write = || {
            let file = self.storage.open(marks.id.as_str())?;
            file.write_at(&marks.records, *end)?;
            *end += marks.records.len() as u64;
            if marks.is_deferral { file.sync() } else { Ok(()) }
        };
        write().map_err(QueueError::io("mark message", &marks.id))
    }

    /// Forgets a finished message; not synced. One that is gone already is forgotten.
    ///
    /// # Errors
    /// When the file cannot be removed; the next start finds it again.
    pub fn remove(&self, id: &QueueId) -> Result<(), QueueError> {
        match self.storage.remove(id.as_str()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result.map_err(QueueError::io("remove message", id)),
        }
    }

    /// Moves the thing in a message's place to `damaged/`, for a person to look at.
    ///
    /// # Errors
    /// When it cannot be moved, or nothing is there.
    pub fn set_aside(&self, id: &QueueId) -> Result<(), QueueError> {
        self.storage.set_aside(id.as_str().as_ref()).map_err(QueueError::io("set aside", id))
    }

    /// A name: eight digits of the second, four of this start, four that count. It is unique unless the clock comes to
    /// the same second again with the same nonce and count; then the file's exclusive creation fails.
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
