//! A queued message as `queued` keeps it in memory.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postkiln_mail::{Envelope, QueueId};

/// A message whose file is on stable storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub id: QueueId,
    /// Sender and recipients; never changes.
    pub envelope: Envelope,
    /// When it was accepted, in whole seconds.
    pub arrived: SystemTime,
    /// Where the content begins in the file, in octets.
    pub offset: u64,
    /// How long the content is, in octets.
    pub size: u64,
    /// What became of each recipient so far; as long as `envelope.recipients`.
    pub recipients: Vec<Recipient>,
    pub(crate) journal_end: u64,
}

/// What became of one recipient so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// Delivered, or its failure was reported.
    pub done: bool,
    /// Attempts that were deferred.
    pub attempts: u32,
    /// What the last of them said.
    pub text: String,
}

/// Whole seconds since the epoch; earlier times count as the epoch.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
}

pub(crate) fn from_unix_seconds(seconds: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}
