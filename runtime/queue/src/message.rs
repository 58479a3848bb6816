//! A queued message as `queued` keeps it in memory, and its marks on their way to the disk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postkiln_mail::{Envelope, QueueId};

use crate::journal::Record;

/// A message whose file is on stable storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The name of the message.
    pub id: QueueId,
    /// The sender and the recipients; never changed.
    pub envelope: Envelope,
    /// The time of acceptance, in whole seconds.
    pub arrived: SystemTime,
    /// The offset of the content in the file, in octets.
    pub offset: u64,
    /// The length of the content in octets.
    pub size: u64,
    /// The state of each recipient; as long as `envelope.recipients`.
    pub recipients: Vec<Recipient>,
    pub(crate) journal: Journal,
}

impl Message {
    /// Marks recipients as done and notes a deferral, in memory at once; [`crate::Queue::write`] writes both to the
    /// disk.
    pub fn mark(&mut self, done: &[usize], deferred: Option<&Deferral>) -> Marks {
        let mut records = Vec::new();
        for &recipient in done {
            if let Some(entry) = self.recipients.get_mut(recipient) {
                entry.done = true;
                records.extend(Record::done(recipient).encode());
            }
        }
        if let Some(Deferral { recipient, due, text }) = deferred
            && let Some(entry) = self.recipients.get_mut(*recipient)
        {
            entry.attempts = entry.attempts.saturating_add(1);
            text.clone_into(&mut entry.text);
            entry.due = Some(*due);
            records.extend(Record::deferred(*recipient, entry.attempts, *due, text).encode());
        }
        Marks { id: self.id.clone(), journal: self.journal.clone(), records, is_deferral: deferred.is_some() }
    }
}

/// An attempt that did not decide anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferral {
    /// Index of the recipient in the envelope.
    pub recipient: usize,
    /// The time of the next try.
    pub due: SystemTime,
    /// The last words of the other side.
    pub text: String,
}

/// Marks of one message that are not yet in its file. They own their data, so that another thread can write them.
#[derive(Debug)]
pub struct Marks {
    pub(crate) id: QueueId,
    pub(crate) journal: Journal,
    pub(crate) records: Vec<u8>,
    pub(crate) is_deferral: bool,
}

/// The place of the next mark of a message. The holder of the lock writes; marks of different recipients may come in
/// any order.
#[derive(Clone, Debug)]
pub(crate) struct Journal(Arc<Mutex<u64>>);

impl Journal {
    pub(crate) fn new(end: u64) -> Self {
        Self(Arc::new(Mutex::new(end)))
    }

    pub(crate) fn end(&self) -> MutexGuard<'_, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two journals are equal when they end at the same place.
impl PartialEq for Journal {
    fn eq(&self, other: &Self) -> bool {
        let ours = *self.end();
        ours == *other.end()
    }
}

impl Eq for Journal {}

/// The state of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// Whether the message was delivered, or the failure was reported.
    pub done: bool,
    /// The number of deferred attempts.
    pub attempts: u32,
    /// The text of the last deferral.
    pub text: String,
    /// The time of the next try, in whole seconds; `None` before the first deferral.
    pub due: Option<SystemTime>,
}

/// Whole seconds since the epoch; earlier times count as the epoch.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
}

pub(crate) fn from_unix_seconds(seconds: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}
