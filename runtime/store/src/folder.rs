//! An open folder: its messages with UIDs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postkiln_mail::Flags;

use crate::lease::Lease;
use crate::maildir::Maildir;
use crate::scan::Stored;
use crate::uidfile::UidFile;
use crate::uidlist::Record;
use crate::{FolderName, StoreError, name, reading, scan};

/// A folder that a reader has opened.
#[derive(Debug)]
pub struct Folder {
    pub(crate) home: Maildir,
    pub(crate) name: FolderName,
    pub(crate) path: PathBuf,
    pub(crate) uids: UidFile,
    pub(crate) messages: Vec<Message>,
    /// UIDs that this reader was the first to take from `new`.
    recent: HashSet<u32>,
    /// The UIDVALIDITY that the first look found: the folder that was opened, and no other that has taken its name.
    validity: Option<u32>,
    /// The times at which `new` and `cur` had last changed at the last scan; `None` when those were too recent to be
    /// sure.
    pub(crate) settled: Option<(SystemTime, SystemTime)>,
    pub(crate) generation: u64,
}

/// One message of an open folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message's UID in this folder.
    pub uid: u32,
    /// The message's flags.
    pub flags: Flags,
    /// Whether the message is in `new`, or was taken from there by this reader.
    pub recent: bool,
    /// The size in octets with CRLF line ends.
    pub wire_size: u64,
    /// Unix seconds: the file's time when it got its UID.
    pub internal_date: i64,
    /// The message's file.
    pub stored: Stored,
}

/// The messages of a folder.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// The UIDVALIDITY, which changes when UIDs start anew.
    pub uid_validity: u32,
    /// The UIDNEXT, greater than every UID given so far.
    pub uid_next: u32,
    /// The messages, ascending by UID.
    pub messages: &'a [Message],
}

impl Folder {
    pub(crate) fn new(home: Maildir, name: FolderName, path: PathBuf) -> Self {
        Self {
            home,
            name,
            path,
            uids: UidFile::default(),
            messages: Vec::new(),
            recent: HashSet::new(),
            validity: None,
            settled: None,
            generation: 0,
        }
    }

    /// A number that differs after every change of the listing, whoever made it.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The messages as of the last refresh or change.
    #[must_use]
    pub fn listing(&self) -> Listing<'_> {
        Listing {
            uid_validity: self.validity.unwrap_or_default(),
            uid_next: self.uids.list.next,
            messages: &self.messages,
        }
    }

    /// Looks at the directories again and says whether anything changed; with `claim`, takes what is in `new` to `cur`:
    /// it is then recent for this reader and nobody else.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`] when it was deleted or renamed, or a failing disk.
    pub fn refresh(&mut self, now: SystemTime, claim: bool) -> Result<bool, StoreError> {
        let has_claims = claim && self.messages.iter().any(|message| message.stored.is_new);
        if self.settled.is_some() && !has_claims && scan::modified(&self.path).ok() == self.settled {
            return Ok(false);
        }
        let _lease = Lease::take(&self.home.path)?;
        self.refresh_held(now, claim)
    }

    /// Takes the lease and looks again: until it is dropped, the listing is what the folder holds.
    pub(crate) fn hold(&mut self, now: SystemTime) -> Result<Lease, StoreError> {
        let lease = Lease::take(&self.home.path)?;
        self.refresh_held(now, false)?;
        Ok(lease)
    }

    /// As [`Self::refresh`], by who holds the lease. Nothing of a folder that has taken the name of ours is touched or
    /// told: UIDs mean something together with their UIDVALIDITY only (RFC 3501 §2.3.1.1).
    pub(crate) fn refresh_held(&mut self, now: SystemTime, claim: bool) -> Result<bool, StoreError> {
        let disk = self.home.disk.clone();
        if !self.path.join("cur").is_dir() {
            return Err(StoreError::FolderGone(self.name.to_string()));
        }
        let modified = scan::modified(&self.path)?;
        self.uids.load(&*disk, &self.path, &self.home.path, now)?;
        self.same_life()?;
        let mut stored = scan::messages(&self.path)?;
        self.give_uids(&stored, now)?;
        self.same_life()?;
        let claimed = if claim { self.claim(&mut stored)? } else { HashSet::new() };
        let messages = self.joined(stored, &claimed);
        // A change within the clock's grain after the scan would not show in the times.
        let settled = |time: SystemTime| now.duration_since(time).is_ok_and(|age| age > GRAIN);
        self.settled = (claimed.is_empty() && settled(modified.0) && settled(modified.1)).then_some(modified);
        let changed = messages != self.messages || self.validity.is_none();
        self.validity = Some(self.uids.list.validity);
        self.messages = messages;
        self.generation += u64::from(changed);
        let live = self.messages.iter().map(|message| message.uid).collect();
        self.uids.compact(&*disk, &self.path, &live)?;
        Ok(changed)
    }

    /// Whether the list that was read is the one of the folder that was opened.
    fn same_life(&self) -> Result<(), StoreError> {
        match self.validity {
            Some(validity) if validity != self.uids.list.validity => Err(StoreError::FolderGone(self.name.to_string())),
            _ => Ok(()),
        }
    }

    /// Goes on under the name that a rename of `from` to `to` has given this folder, if it has.
    pub fn follow(&mut self, from: &FolderName, to: &FolderName) {
        if let Some(name) = self.name.moved(from, to).filter(|_| !from.is_inbox()) {
            self.path = self.home.directory(&name);
            self.name = name;
            self.settled = None;
        }
    }

    /// The folder's name.
    #[must_use]
    pub const fn name(&self) -> &FolderName {
        &self.name
    }

    /// UIDs for the files that have none, in the order of their arrival.
    fn give_uids(&mut self, stored: &[Stored], now: SystemTime) -> Result<(), StoreError> {
        let known: HashSet<&str> = self.uids.list.records.iter().map(|record| record.unique.as_str()).collect();
        let mut new = Vec::new();
        for message in stored.iter().filter(|message| !known.contains(message.unique.as_str())) {
            // Removed by another program since the scan: the next one will not show it.
            let Ok(found) = fs::metadata(message.path(&self.path)) else { continue };
            new.push((found.modified().unwrap_or(now), message));
        }
        if new.is_empty() {
            return Ok(());
        }
        if self.uids.uid_after(new.len()).is_none() {
            // All numbers are used up: begin anew, which changes UIDVALIDITY.
            let disk = self.home.disk.clone();
            self.uids.begin(&*disk, &self.path, &self.home.path, now)?;
            return self.give_uids(stored, now);
        }
        new.sort_by(|(time, message), (other_time, other)| (time, &message.unique).cmp(&(other_time, &other.unique)));
        let mut records = Vec::with_capacity(new.len());
        for (uid, (time, message)) in (self.uids.list.next..).zip(new) {
            let wire_size = match name::wire_size(&message.unique) {
                Some(size) => size,
                None => reading::measured(&message.path(&self.path))?,
            };
            records.push(Record { uid, wire_size, internal_date: unix_seconds(time), unique: message.unique.clone() });
        }
        self.uids.append(&*self.home.disk, &self.path, records)
    }

    /// Moves new messages to `cur`.
    pub(crate) fn claim(&self, stored: &mut [Stored]) -> Result<HashSet<String>, StoreError> {
        let mut claimed = HashSet::new();
        for message in stored.iter_mut().filter(|message| message.is_new) {
            let target = format!("cur/{}", name::with_letters(&message.unique, &message.letters));
            let path = message.path(&self.path);
            match self.home.disk.rename(&path, &self.path.join(&target)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(StoreError::io("rename", &path))?,
            }
            message.file = target;
            message.is_new = false;
            claimed.insert(message.unique.clone());
        }
        Ok(claimed)
    }

    /// Joins the records of the list with the files.
    fn joined(&mut self, stored: Vec<Stored>, claimed: &HashSet<String>) -> Vec<Message> {
        let mut files: HashMap<String, Stored> =
            stored.into_iter().map(|message| (message.unique.clone(), message)).collect();
        let mut messages = Vec::with_capacity(files.len());
        // From the end: a name that was given a second UID is known by the later one.
        for record in self.uids.list.records.iter().rev() {
            let Some(stored) = files.remove(&record.unique) else { continue };
            if claimed.contains(&record.unique) {
                self.recent.insert(record.uid);
            }
            messages.push(Message {
                uid: record.uid,
                flags: name::flags(&stored.letters),
                recent: stored.is_new || self.recent.contains(&record.uid),
                wire_size: record.wire_size,
                internal_date: record.internal_date,
                stored,
            });
        }
        messages.reverse();
        messages
    }

    pub(crate) fn position(&self, uid: u32) -> Option<usize> {
        self.messages.binary_search_by_key(&uid, |message| message.uid).ok()
    }

    /// The messages in POP3's order, by arrival; ties by name.
    #[must_use]
    pub fn by_arrival(&self) -> Vec<&Message> {
        let mut messages: Vec<&Message> = self.messages.iter().collect();
        messages.sort_by(|a, b| (a.internal_date, &a.stored.unique).cmp(&(b.internal_date, &b.stored.unique)));
        messages
    }
}

impl Message {
    /// The size of the file in octets.
    pub(crate) fn file_size(&self, folder: &Path) -> u64 {
        name::size(&self.stored.unique)
            .or_else(|| Some(fs::metadata(self.stored.path(folder)).ok()?.len()))
            .unwrap_or_default()
    }
}

pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    }
}

/// The grain of file times: clocks tick every few milliseconds, on network file systems every second or two.
const GRAIN: Duration = Duration::from_secs(3);
