//! The file of the UID list: read on as it grows, appended to and synced before a client is told a UID, replaced as a
//! whole when most of its records are dead. The lease must be held for all of this.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::StoreError;
use crate::disk::Disk;
use crate::uidlist::{Record, UidList};

/// The known part of the file.
#[derive(Debug, Default)]
pub(crate) struct UidFile {
    /// The file's identity, and the number of octets that were read.
    read: Option<((u64, u64), u64)>,
    pub(crate) list: UidList,
}

impl UidFile {
    /// Reads the new part of the file; begins a list when there is none or it is lost. True when something changed.
    pub(crate) fn load(
        &mut self,
        disk: &dyn Disk,
        folder: &Path,
        top: &Path,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        let path = folder.join(FILE);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.begin(disk, folder, top, now),
            other => other.map_err(StoreError::io("open", &path))?,
        };
        let found = file.metadata().map_err(StoreError::io("read", &path))?;
        let identity = (found.dev(), found.ino());
        let known = self.read.filter(|(file, length)| *file == identity && *length <= found.len());
        let from = known.map_or(0, |(_, length)| length);
        if known.is_some() && from == found.len() {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))
            .and_then(|_| file.read_to_end(&mut bytes))
            .map_err(StoreError::io("read", &path))?;
        let sound = if known.is_some() {
            self.list.extend(&bytes)
        } else {
            UidList::parse(&bytes).map(|(list, sound)| {
                self.list = list;
                sound
            })
        };
        let Some(sound) = sound else { return self.begin(disk, folder, top, now) };
        let length = from + sound as u64;
        if sound < bytes.len() {
            let cut = File::options().write(true).open(&path).and_then(|file| disk.cut(&file, length));
            cut.map_err(StoreError::io("repair", &path))?;
        }
        self.read = Some((identity, length));
        Ok(true)
    }

    /// Gives UIDs to messages in this order; they are durable when this returns.
    pub(crate) fn append(&mut self, disk: &dyn Disk, folder: &Path, new: Vec<Record>) -> Result<(), StoreError> {
        let path = folder.join(FILE);
        let text: String = new.iter().map(Record::print).collect();
        let mut file = File::options().append(true).open(&path).map_err(StoreError::io("open", &path))?;
        let written = disk.write(&mut file, text.as_bytes()).and_then(|()| disk.sync(&file));
        if let Err(error) = written {
            // The content of the file is not known now, so it is read again before its next use.
            *self = Self::default();
            return Err(StoreError::io("write", &path)(error));
        }
        if let Some((_, length)) = &mut self.read {
            *length += text.len() as u64;
        }
        self.list.next = new.last().map_or(self.list.next, |record| record.uid + 1);
        self.list.records.extend(new);
        Ok(())
    }

    /// The next UID, and the ones after it, as long as there are some.
    pub(crate) fn uid_after(&self, count: usize) -> Option<u32> {
        self.list.next.checked_add(u32::try_from(count).ok()?).filter(|uid| *uid < u32::MAX)
    }

    /// Writes the list anew without records of messages that are gone, when that is most of them.
    pub(crate) fn compact(&mut self, disk: &dyn Disk, folder: &Path, live: &HashSet<u32>) -> Result<(), StoreError> {
        if self.list.records.len() <= 2 * live.len() + 64 {
            return Ok(());
        }
        self.list.records.retain(|record| live.contains(&record.uid));
        self.replace(disk, folder)
    }

    /// A list of no messages with a UIDVALIDITY that this mailbox has never used.
    pub(crate) fn begin(
        &mut self,
        disk: &dyn Disk,
        folder: &Path,
        top: &Path,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        let path = top.join(VALIDITY);
        let last = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u32>().ok()).unwrap_or(0);
        let seconds = now.duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
        let validity = u32::try_from(seconds).unwrap_or(u32::MAX).max(last.saturating_add(1));
        put(disk, &path, format!("{validity}\n").as_bytes())?;
        self.list = UidList { validity, next: 1, records: Vec::new() };
        self.replace(disk, folder)?;
        Ok(true)
    }

    fn replace(&mut self, disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(FILE);
        let text = self.list.print();
        self.read = None;
        put(disk, &path, text.as_bytes())?;
        let found = fs::metadata(&path).map_err(StoreError::io("read", &path))?;
        self.read = Some(((found.dev(), found.ino()), text.len() as u64));
        Ok(())
    }
}

/// Old content or new content, never a part, durable. Under the lease: nobody else writes the file beside it.
pub(crate) fn put(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = PathBuf::from(format!("{}.new", path.display()));
    match disk.remove(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::io("remove", &beside)(error)),
        _ => {}
    }
    let mut file = disk.create(&beside).map_err(StoreError::io("create", &beside))?;
    disk.write(&mut file, bytes).map_err(StoreError::io("write", &beside))?;
    disk.sync(&file).map_err(StoreError::io("sync", &beside))?;
    disk.rename(&beside, path).map_err(StoreError::io("rename", &beside))?;
    let directory = path.parent().unwrap_or(path);
    disk.sync_directory(directory).map_err(StoreError::io("sync", directory))
}

const FILE: &str = "postkiln-uidlist";
const VALIDITY: &str = "postkiln-uidvalidity";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Real;
    use crate::disk::failing::Failing;

    fn record(uid: u32) -> Record {
        Record { uid, wire_size: 1, internal_date: 0, unique: format!("name{uid}") }
    }

    /// The list as a fresh process reads it.
    fn reread(folder: &Path) -> UidList {
        let mut file = UidFile::default();
        file.load(&Real, folder, folder, UNIX_EPOCH).unwrap();
        file.list
    }

    /// Begins, appends twice, compacts: the life of a list. Gives the UIDs that were told to somebody,
    /// with the validity.
    fn live(disk: &dyn Disk, folder: &Path) -> (Vec<u32>, u32) {
        let mut file = UidFile::default();
        let mut told = Vec::new();
        let mut validity = 0;
        let mut life = || -> Result<(), StoreError> {
            file.load(disk, folder, folder, UNIX_EPOCH)?;
            for uids in [1..=3, 4..=100] {
                file.append(disk, folder, uids.clone().map(record).collect())?;
                told.extend(uids);
                validity = file.list.validity;
            }
            file.compact(disk, folder, &HashSet::from([2, 100]))
        };
        let _ = life();
        (told, validity)
    }

    #[test]
    fn a_process_may_die_at_every_step() {
        for steps in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let disk = Failing::dies_after(steps);
            let (told, validity) = live(&disk, folder.path());
            let list = reread(folder.path());
            if let Some(last) = told.last() {
                assert_eq!(list.validity, validity, "step {steps}: told UIDs keep their validity");
                assert!(list.next > *last, "step {steps}: {} is given again", list.next);
                assert!(list.records.iter().any(|record| record.uid == 2), "step {steps}");
            }
            if disk.is_unharmed() {
                assert_eq!(list.records, [record(2), record(100)]);
                assert!(steps > 15, "only {steps} steps");
                return;
            }
        }
    }

    #[test]
    fn a_lost_list_changes_validity() {
        let folder = tempfile::tempdir().unwrap();
        let (_, validity) = live(&Real, folder.path());
        fs::remove_file(folder.path().join(FILE)).unwrap();
        let list = reread(folder.path());
        assert!(list.validity > validity && list.records.is_empty() && list.next == 1);
    }

    #[test]
    fn two_readers_follow_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (UidFile::default(), UidFile::default());
        one.load(&Real, folder.path(), folder.path(), UNIX_EPOCH).unwrap();
        other.load(&Real, folder.path(), folder.path(), UNIX_EPOCH).unwrap();
        one.append(&Real, folder.path(), vec![record(1), record(2)]).unwrap();
        assert!(other.load(&Real, folder.path(), folder.path(), UNIX_EPOCH).unwrap());
        assert!(!other.load(&Real, folder.path(), folder.path(), UNIX_EPOCH).unwrap());
        assert_eq!(one.list, other.list);
    }
}
