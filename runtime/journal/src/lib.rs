//! The log that the queue will stand on: messages and what became of them, appended to segments, stable by one
//! `fdatasync` for all that wait. Knows nothing about what an envelope says, deliveries, sockets or clocks.
//! Start at [`Journal`].
//!
//! # States on disk
//!
//! `log/EPOCH` is a segment (`format.rs`): a header and batches of records. Epochs only grow. `log/spare-N` is a
//! segment that is ready to be used, `large/ID` the content of a message of its own file, `damaged/` is for people.
//!
//! A batch is written when the one before it is stable, and its records tell where it begins; so whatever lies before
//! the begin of the last batch that left a trace was stable once. The header of a segment is written together with its
//! first batch; it names the stable end of the log before it, and the oldest segment that still counts. A segment is
//! *joined* when its first batch is whole or a later one left a trace; before that nobody was told of anything in it.
//!
//! | state | on disk | means | recovery |
//! |---|---|---|---|
//! | J0 | no segment | a new journal | begins segment 1 |
//! | J1 | newest segment without a good header and without a second batch, or with a part of its first batch | crashed while beginning it | reported, removed; the one before it is the newest |
//! | J2 | newest joined segment, batches hold | the log | the last batch is written again into a new segment: whether it was synced is not known |
//! | J3 | its last batch holds in part | crashed while writing it; nobody was told | whole records before the first bad one count, the rest is cut off by the new header |
//! | J4 | a bad stretch before the last batch, or before the end that a later header names | the disk lost octets | copy of the file to `damaged/`, reported; everything else counts |
//! | J5 | bad header, but a second batch | the same | as J4; the segment before it is the next older there is |
//! | J6 | segments that no header names (their sync had failed), or older than the newest joined header's oldest | given up | removed once a new segment is stable |
//! | J7 | a segment that a header names is missing | the disk, or a person | reported; the next older one goes on |
//! | J8 | `spare-N` of the right size; of another size | ready; crashed while making it | kept; removed |
//! | J9 | `large/ID` that no message names | not accepted, or ended | removed once the new segment is stable, reported |
//! | J10 | a message whose `large/ID` is missing or of another size | the disk | reported as lost; the message is listed |
//! | J11 | a name that is none of these | not ours | moved to `damaged/`, reported |
//! | J12 | a file that cannot be read | the disk is in trouble | the journal does not open; the next start tries again. To skip it would free what it holds |
//! | J13 | no new segment can be made | full or read-only | reported; everything can be read, each record tries again |
//!
//! # Order of writes
//!
//! Large content, its `fdatasync`, `fsync` of `large/`; then the record that names it. A segment's name, `fsync` of
//! `log/`; then header and first batch, one `fdatasync`; then what its header gave up is removed or used again, without
//! a sync. After a failed write or sync the file is never written or synced again, and the batch goes to a new segment.
//! A message that waits long is written again, whole, so that the segment it lay in gets free. One segment is always
//! ready beside the current one: when no other can be made, messages are refused and marks go on.

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod checksum;
mod entry;
mod error;
mod format;
mod id;
mod large;
mod log;
mod read;
mod recovery;
mod segment;
mod state;
mod storage;
mod writer;

#[cfg(test)]
mod disk;
#[cfg(test)]
mod load;
#[cfg(test)]
mod tests;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use checksum::Checksum;
pub use entry::{Content, Entry, Mark};
pub use error::JournalError;
pub use id::Id;
pub use large::Large;
pub use recovery::{Finding, Message, Recovered};
pub use segment::Segment;
pub use writer::Pending;

use log::segment_name;
use state::{Lies, Live, State};
use storage::{Directory, Folder, Storage};
use writer::Request;

/// Sizes of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The size of a segment in octets.
    pub segment: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment: 16 << 20 }
    }
}

impl Options {
    /// The octets of entries that a batch may have: a quarter of a segment, so that marks find room in each.
    pub(crate) fn longest(&self) -> usize {
        usize::try_from(self.segment / 4).unwrap_or(usize::MAX)
    }
}

/// The size in octets from which on a content should have a file of its own.
pub const LARGE: usize = 256 << 10;

/// The open journal. Cheap to clone; the last clone that is dropped ends its thread.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    storage: Arc<dyn Storage>,
    state: Arc<Mutex<State>>,
    counts: Arc<Counts>,
    longest: usize,
    sender: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens the journal below `directory`, makes missing parts, takes the lock that keeps other writers out, reads
    /// the log, and starts the thread that writes. Everything that is told is stable, unless a finding says that the
    /// disk takes nothing.
    ///
    /// # Errors
    /// When the directory cannot be used, another process holds it, a segment cannot be read or is of a newer version.
    pub fn open(directory: &Path, options: Options) -> Result<(Self, Recovered), JournalError> {
        let storage: Arc<dyn Storage> = Arc::new(Directory::open(directory)?);
        let (log, recovered) = recovery::recover(&storage, options)?;
        let (state, counts) = (Arc::clone(&log.state), Arc::clone(&log.counts));
        let (sender, thread) = writer::start(log).map_err(JournalError::disk("start the thread of", "the journal"))?;
        let longest = options.longest();
        let inner = Inner { storage, state, counts, longest, sender: Some(sender), thread: Some(thread) };
        Ok((Self(Arc::new(inner)), recovered))
    }

    /// Hands entries over, which belong together: after a crash all of them are there or none. They are written in the
    /// order of the calls, with all others that wait, and are stable when the answer says so.
    ///
    /// # Errors
    /// When they are longer than a quarter of a segment, or the thread has ended.
    pub fn append(&self, entries: &[Entry]) -> Result<Pending, JournalError> {
        let (request, pending) = request(entries, self.0.longest)?;
        let sender = self.0.sender.as_ref().ok_or(JournalError::Closed)?;
        sender.send(request).map_err(|_| JournalError::Closed)?;
        Ok(pending)
    }

    /// Begins a content of its own file, for messages of [`LARGE`] octets and more.
    ///
    /// # Errors
    /// When no file can be made.
    pub fn large(&self, id: Id) -> Result<Large, JournalError> {
        Large::create(Arc::clone(&self.0.storage), id)
    }

    /// The content of a message, compared with its checksum.
    ///
    /// # Errors
    /// When it is ended, cannot be read, or is not what was accepted.
    pub fn content(&self, id: Id) -> Result<Vec<u8>, JournalError> {
        self.read(id, |live, _| read::content(self.0.storage.as_ref(), id, live))
    }

    /// The place of a message's content, to be handed to another process instead of its octets.
    ///
    /// # Errors
    /// When it is ended, or its file cannot be opened.
    pub fn place(&self, id: Id) -> Result<Place, JournalError> {
        self.read(id, |live, reading| {
            let (folder, name, offset) = match &live.content {
                Lies::Here { offset, .. } => (Folder::Log, segment_name(live.epoch), *offset),
                Lies::Large(_) => (Folder::Large, id.to_string(), 0),
            };
            let file = self.0.storage.reader(folder, &name).map_err(JournalError::disk("open", &name))?;
            let stored = live.content.stored();
            Ok(Place { file, offset, size: stored.size, sum: stored.sum, _reading: reading })
        })
    }

    /// Reads a message where it lies. When it moved in between, and its segment was given up, it is read where
    /// it lies now.
    fn read<T>(&self, id: Id, read: impl Fn(&Live, Arc<()>) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let (live, reading) = self.live(id)?;
        read(&live, reading).or_else(|error| {
            let (now, reading) = self.live(id)?;
            if now.epoch == live.epoch { Err(error) } else { read(&now, reading) }
        })
    }

    /// A message as it is now, with a token that keeps its segment from being used for others' octets.
    fn live(&self, id: Id) -> Result<(Live, Arc<()>), JournalError> {
        let mut state = self.state();
        let live = state.live.get(&id).cloned().ok_or_else(|| JournalError::Gone(id.to_string()))?;
        let reading = state.reading(live.epoch);
        Ok((live, reading))
    }

    /// The number of messages that are not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().live.len()
    }

    /// Whether every message is ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The counts since the journal was opened.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn request(entries: &[Entry], longest: usize) -> Result<(Request, Pending), JournalError> {
    let mut encoded = Vec::new();
    entries.iter().for_each(|entry| entry.encode(&mut encoded));
    if encoded.len() > longest {
        return Err(JournalError::TooLong(encoded.len()));
    }
    let large = entries.iter().filter(|entry| matches!(entry, Entry::Accept { content: Content::Large(_), .. }));
    let (done, pending) = Pending::new();
    let accepts = entries.iter().any(Entry::is_accept);
    Ok((Request { entries: encoded, accepts, large: large.map(Entry::id).collect(), done }, pending))
}

impl Drop for Inner {
    /// Waits for the thread, which writes what waits: the lock is free afterwards.
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("messages", &self.len()).finish_non_exhaustive()
    }
}

/// Where a content lies. As long as this lives, the octets there stay what they are.
#[derive(Debug)]
pub struct Place {
    /// The file; its position belongs to the holder.
    pub file: OwnedFd,
    /// The offset of the content in octets.
    pub offset: u64,
    /// The size of the content in octets.
    pub size: u64,
    /// The CRC-32C of the content.
    pub sum: u32,
    _reading: Arc<()>,
}

/// Counts of things that the journal did since it was opened.
#[derive(Debug, Default)]
pub struct Counts {
    syncs: AtomicU64,
    failures: AtomicU64,
    freed: AtomicU64,
    moved: AtomicU64,
}

impl Counts {
    /// The calls that waited for the disk, without those for large contents and for making segments.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Segments that the disk refused in the middle, and messages that could not be read to be moved.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Segments that got free.
    #[must_use]
    pub fn segments_freed(&self) -> u64 {
        self.freed.load(Ordering::Relaxed)
    }

    /// Messages that were written again so that a segment gets free.
    #[must_use]
    pub fn messages_moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    pub(crate) fn synced(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn freed(&self, segments: usize) {
        self.freed.fetch_add(segments as u64, Ordering::Relaxed);
    }

    pub(crate) fn moved(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }
}
