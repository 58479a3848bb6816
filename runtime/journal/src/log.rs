//! The writing end of the log: batches, segments, what happens when the disk refuses. One thread has it.
//! Start at [`Log::write`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::entry;
use crate::format::{Batch, HEADER, Header, RECORD, encode_record, record_size};
use crate::state::State;
use crate::storage::{File, Folder, Storage};
use crate::{Counts, JournalError, Options};

/// The encoded entries of one record.
pub(crate) type Entries = Vec<u8>;

pub(crate) struct Log {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) options: Options,
    /// The segment that is written to; none after a failure and at the start.
    current: Option<Current>,
    /// Where the stable part of the log ends: epoch and offset. Epoch 0: there is none yet.
    stable: (u64, u64),
    /// The segments of the log up to the current one, with whether each may be used again.
    pub(crate) chain: BTreeMap<u64, Reuse>,
    /// Files of `log/` that hold nothing that counts.
    leftovers: Vec<String>,
    /// Files of `log/` that recovery found, and that hold nothing that counts once the next segment is stable.
    superseded: Vec<String>,
    /// Segments that are ready to be used.
    spares: Vec<String>,
    /// Records of the last batch that recovery found: stable or not, nobody knows, so they are written again.
    pub(crate) carried: Vec<Entries>,
    batch: u64,
    next_epoch: u64,
    /// Messages to be copied to the current segment, so that an old one gets free.
    pub(crate) moving: Vec<crate::Id>,
    pub(crate) counts: Arc<Counts>,
}

struct Current {
    epoch: u64,
    chance: u64,
    file: Box<dyn File>,
    end: u64,
}

/// Whether the file of a segment may become another segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    Yes,
    /// A write or sync of it failed, or its size is another: it is removed.
    No,
}

/// The log as recovery found it on the disk, for the first segment that is written after it.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    pub(crate) stable: (u64, u64),
    pub(crate) chain: BTreeMap<u64, Reuse>,
    pub(crate) superseded: Vec<String>,
    pub(crate) spares: Vec<String>,
    pub(crate) carried: Vec<Entries>,
    pub(crate) batch: u64,
    pub(crate) newest: u64,
}

impl Log {
    pub(crate) fn new(storage: Arc<dyn Storage>, options: Options, state: State, remains: Remains) -> Self {
        Self {
            storage,
            state: Arc::new(Mutex::new(state)),
            options,
            current: None,
            stable: remains.stable,
            chain: remains.chain,
            leftovers: Vec::new(),
            superseded: remains.superseded,
            spares: remains.spares,
            carried: remains.carried,
            batch: remains.batch,
            next_epoch: remains.newest + 1,
            moving: Vec::new(),
            counts: Arc::default(),
        }
    }

    /// Writes records as one batch, syncs it, and applies it to the state. When this returns they are stable.
    ///
    /// After a failed write or sync nothing of the batch counts, and its file is never written or synced again: the
    /// kernel may have dropped the octets and would call the next sync a success. The batch goes to a new segment,
    /// which names the end of the stable part of the one before.
    pub(crate) fn write(&mut self, records: &[Entries]) -> Result<(), JournalError> {
        let is_full = self.current.as_ref().is_some_and(|current| !fits(current, records, self.options.segment));
        if is_full {
            // Without room for another segment this one stays, for smaller records. Once the next is begun it must not
            // be written to any more: a header may be on the disk that names its end.
            self.keep_spare()?;
            self.current = None;
        }
        if let Some(mut current) = self.current.take() {
            match self.append(&mut current, records) {
                Ok(()) => {
                    self.stable = (current.epoch, current.end);
                    self.current = Some(current);
                    return Ok(());
                }
                Err(_) => {
                    self.chain.insert(current.epoch, Reuse::No);
                    self.counts.failed();
                }
            }
        }
        // A second try: one bad file shall not refuse mail.
        self.roll(records).or_else(|_| self.roll(records))
    }

    fn append(&mut self, current: &mut Current, records: &[Entries]) -> Result<(), JournalError> {
        let batch = Batch { epoch: current.epoch, chance: current.chance, number: self.batch, start: current.end };
        let mut bytes = Vec::with_capacity(size(records));
        records.iter().for_each(|entries| encode_record(&batch, entries, &mut bytes));
        let name = segment_name(current.epoch);
        current.file.write_at(&bytes, current.end).map_err(JournalError::disk("write", &name))?;
        self.sync(current.file.as_ref(), &name)?;
        self.batch += 1;
        self.apply(&batch, records);
        current.end += bytes.len() as u64;
        Ok(())
    }

    /// Begins a segment with these records as its first batch. Header and batch are stable together; the name before
    /// them, so that no file of an earlier name has a later header.
    fn roll(&mut self, records: &[Entries]) -> Result<(), JournalError> {
        let epoch = self.next_epoch;
        let name = segment_name(epoch);
        let spare = self.take_spare()?;
        self.next_epoch += 1;
        let result = self.begin(&spare, epoch, &name, records);
        match result {
            Ok((current, oldest)) => {
                self.stable = (epoch, current.end);
                self.current = Some(current);
                self.chain.insert(epoch, Reuse::Yes);
                self.carried.clear();
                self.leftovers.append(&mut self.superseded);
                self.free(oldest);
                let _ = self.keep_spare();
                self.choose_moves();
                Ok(())
            }
            Err(error) => {
                self.leftovers.extend([spare, name]);
                self.counts.failed();
                Err(error)
            }
        }
    }

    fn begin(
        &mut self,
        spare: &str,
        epoch: u64,
        name: &str,
        records: &[Entries],
    ) -> Result<(Current, u64), JournalError> {
        self.storage.rename(spare, name).map_err(JournalError::disk("rename", spare))?;
        self.storage.sync_names(Folder::Log).map_err(JournalError::disk("sync names for", name))?;
        self.counts.synced();
        let file = self.storage.open(Folder::Log, name).map_err(JournalError::disk("open", name))?;
        let records = [self.carried.as_slice(), records].concat();
        let chance = random(name)?;
        let end = (HEADER + size(&records)) as u64;
        let oldest = self.state().oldest().unwrap_or(epoch);
        let (previous, first_end, start) = (self.stable, end, HEADER as u64);
        let mut bytes = Header { epoch, chance, previous, oldest, first_end, batch: self.batch }.encode();
        let batch = Batch { epoch, chance, number: self.batch, start };
        records.iter().for_each(|entries| encode_record(&batch, entries, &mut bytes));
        file.write_at(&bytes, 0).map_err(JournalError::disk("write", name))?;
        self.sync(file.as_ref(), name)?;
        self.batch += 1;
        self.apply(&batch, &records);
        Ok((Current { epoch, chance, file, end }, oldest))
    }

    fn sync(&self, file: &dyn File, name: &str) -> Result<(), JournalError> {
        file.sync().map_err(JournalError::disk("sync", name))?;
        self.counts.synced();
        Ok(())
    }

    fn apply(&self, batch: &Batch, records: &[Entries]) {
        let mut state = self.state();
        let mut at = batch.start;
        for entries in records {
            if let Some(found) = entry::decode(entries) {
                state.apply(batch.epoch, at, at + RECORD as u64, found);
            }
            at += record_size(entries.len()) as u64;
        }
    }

    /// The messages whose large content can go, now that their end is stable.
    pub(crate) fn remove_ended(&self) {
        let ended = std::mem::take(&mut self.state().ended);
        for id in ended {
            // The next start removes a file that stays.
            let _ = self.storage.remove(Folder::Large, &id.to_string());
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether messages may be accepted: after a change of the segment marks must have one more.
    pub(crate) fn has_room(&mut self) -> bool {
        self.keep_spare().is_ok()
    }

    fn take_spare(&mut self) -> Result<String, JournalError> {
        self.keep_spare()?;
        self.spares.pop().ok_or(JournalError::Full)
    }

    /// Makes a spare segment if there is none.
    pub(crate) fn keep_spare(&mut self) -> Result<(), JournalError> {
        if !self.spares.is_empty() {
            return Ok(());
        }
        self.clear_leftovers();
        let name = spare_name(self.next_epoch);
        self.next_epoch += 1;
        let make = || self.storage.create(Folder::Log, &name)?.allocate(self.options.segment);
        match make() {
            Ok(()) => {
                self.spares.push(name);
                Ok(())
            }
            Err(error) => {
                self.leftovers.push(name.clone());
                self.clear_leftovers();
                Err(if error.kind() == std::io::ErrorKind::StorageFull {
                    JournalError::Full
                } else {
                    JournalError::disk("make", &name)(error)
                })
            }
        }
    }

    /// Gives up the segments before `oldest`, which the header of the current one names durably: no reader of the log
    /// looks at them again, so that neither removing nor using them needs a sync.
    fn free(&mut self, oldest: u64) {
        let kept = self.chain.split_off(&oldest);
        let freed = std::mem::replace(&mut self.chain, kept);
        self.counts.freed(freed.len());
        for (epoch, reuse) in freed {
            let name = segment_name(epoch);
            // Under the lock no new reader can come between the question and the renaming.
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let is_read = state.was_read(epoch);
            let spare = spare_name(epoch);
            if reuse == Reuse::Yes
                && !is_read
                && self.spares.len() < SPARES
                && self.storage.rename(&name, &spare).is_ok()
            {
                self.spares.push(spare);
            } else {
                self.leftovers.push(name);
            }
        }
        self.clear_leftovers();
    }

    /// Removes files that do not count. One that cannot be removed is tried again.
    fn clear_leftovers(&mut self) {
        let storage = &self.storage;
        self.leftovers.retain(|name| match storage.remove(Folder::Log, name) {
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
            Ok(()) => false,
        });
    }

    /// When the log is longer than its messages need, those of its oldest segment move. Each message moves at most once
    /// in a time in which the log is written as long as all messages are together.
    fn choose_moves(&mut self) {
        let state = self.state();
        let needed = 2 * state.weight().div_ceil(self.options.segment) + SHORTEST;
        let oldest = state.oldest();
        let moving = match oldest {
            Some(oldest) if self.chain.len() as u64 > needed => state.of_segment(oldest),
            _ => Vec::new(),
        };
        drop(state);
        self.moving = moving;
        self.moving.reverse();
    }

    /// The next records of messages that move, at most `octets` and one more.
    pub(crate) fn next_moves(&mut self, octets: usize) -> Vec<Entries> {
        let mut records: Vec<Entries> = Vec::new();
        while size(&records) < octets {
            let Some(id) = self.moving.pop() else { break };
            let Some(live) = self.state().live.get(&id).cloned() else { continue };
            // One that cannot be read stays where it is, and its segment with it.
            let Ok((envelope, content)) = crate::read::accepted(self.storage.as_ref(), id, &live) else {
                self.counts.failed();
                continue;
            };
            let mut entries = Vec::new();
            live.entries(id, envelope, content).iter().for_each(|entry| entry.encode(&mut entries));
            self.counts.moved();
            records.push(entries);
        }
        records
    }
}

/// The octets of these records in a segment.
pub(crate) fn size(records: &[Entries]) -> usize {
    records.iter().map(|entries| record_size(entries.len())).sum()
}

fn fits(current: &Current, records: &[Entries], segment: u64) -> bool {
    current.end + size(records) as u64 <= segment
}

fn random(name: &str) -> Result<u64, JournalError> {
    postkiln_sys::random().map(u64::from_le_bytes).map_err(JournalError::disk("find chance for", name))
}

/// The name of a segment's file: its epoch in sixteen hexadecimal digits.
pub(crate) fn segment_name(epoch: u64) -> String {
    format!("{epoch:016x}")
}

fn spare_name(number: u64) -> String {
    format!("{SPARE}{number:016x}")
}

/// The first letters of the name of a segment that is not in use.
pub(crate) const SPARE: &str = "spare-";

/// Segments that are kept for later use; more are removed.
const SPARES: usize = 2;

/// Segments that the log may always have before messages move.
const SHORTEST: u64 = 4;
