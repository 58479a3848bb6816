//! Maildir++ quota: the file `maildirsize` in the top directory (reference: the Maildir++ specification). Its first
//! line holds the limits, each further line a change: `BYTES COUNT`. The file is a cache: written without locks and
//! syncs, and counted anew when it is old, long, wrong or missing. Messages in Trash or marked as deleted do not count.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::disk::Disk;
use crate::scan::{directories, file_names};
use crate::{StoreError, name};

/// The limits of a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// The largest number of octets.
    pub bytes: Option<u64>,
    /// The largest number of messages.
    pub count: Option<u64>,
}

impl Quota {
    /// A quota without limits.
    pub const NONE: Self = Self { bytes: None, count: None };

    /// A limit of octets and one of messages, where there are such; 0 is none, as in vpopmail.
    #[must_use]
    pub fn of(bytes: Option<u64>, count: Option<u64>) -> Self {
        Self { bytes: bytes.filter(|limit| *limit > 0), count: count.filter(|limit| *limit > 0) }
    }

    /// The first line of the file: `10485760S,1000C`.
    fn definition(self) -> String {
        let bytes = self.bytes.map(|limit| format!("{limit}S"));
        let count = self.count.map(|limit| format!("{limit}C"));
        bytes.into_iter().chain(count).collect::<Vec<_>>().join(",")
    }

    fn admits(self, (bytes, count): (i64, i64), size: u64, messages: u64) -> bool {
        let fits = |limit: Option<u64>, used: i64, more: u64| {
            limit.is_none_or(|limit| u64::try_from(used).unwrap_or(0).saturating_add(more) <= limit)
        };
        fits(self.bytes, bytes, size) && fits(self.count, count, messages)
    }
}

/// Whether a message of `size` octets may come in.
pub(crate) fn admit(disk: &dyn Disk, top: &Path, quota: Quota, size: u64, now: SystemTime) -> Result<(), StoreError> {
    admit_many(disk, top, quota, (size, 1), now)
}

/// Whether messages of `size` octets together may come in.
pub(crate) fn admit_many(
    disk: &dyn Disk,
    top: &Path,
    quota: Quota,
    (size, messages): (u64, u64),
    now: SystemTime,
) -> Result<(), StoreError> {
    if quota == Quota::NONE {
        return Ok(());
    }
    let told = read(top, quota);
    let totals = match &told {
        Some(told) => told.totals,
        None => count(disk, top, quota)?,
    };
    if quota.admits(totals, size, messages) {
        return Ok(());
    }
    // A refusal needs fresh numbers: other programs may have removed mail without noting it.
    let doubtful = told.is_some_and(|told| {
        told.changes > 1 || now.duration_since(told.modified).is_ok_and(|age| age >= Duration::from_secs(15 * 60))
    });
    if doubtful && quota.admits(count(disk, top, quota)?, size, messages) {
        return Ok(());
    }
    Err(StoreError::OverQuota)
}

/// Notes a change. After a failure the numbers are wrong until they are counted again, and nothing worse.
pub(crate) fn record(top: &Path, quota: Quota, bytes: i64, count: i64) {
    if quota != Quota::NONE
        && let Ok(mut file) = File::options().append(true).open(top.join(FILE))
    {
        // One write of 14 octets or more (specification): appended as a whole.
        let _ = file.write_all(format!("{:<13}\n", format!("{bytes} {count}")).as_bytes());
    }
}

/// Forgets the numbers, after changes that nobody wants to add up.
pub(crate) fn forget(top: &Path) {
    let _ = fs::remove_file(top.join(FILE));
}

struct Told {
    totals: (i64, i64),
    changes: usize,
    modified: SystemTime,
}

/// The numbers in the file; `None` when they must be counted.
fn read(top: &Path, quota: Quota) -> Option<Told> {
    let path = top.join(FILE);
    let found = fs::metadata(&path).ok()?;
    if found.len() >= LONG {
        return None;
    }
    let text = fs::read_to_string(&path).ok()?;
    let mut lines = text.lines();
    if lines.next() != Some(quota.definition().as_str()) {
        return None;
    }
    let mut told = Told { totals: (0, 0), changes: 0, modified: found.modified().ok()? };
    for line in lines {
        let mut numbers = line.split_whitespace().map(|word| word.parse::<i64>().ok());
        let (Some(Some(bytes)), Some(Some(count)), None) = (numbers.next(), numbers.next(), numbers.next()) else {
            return None;
        };
        told.totals = (told.totals.0.saturating_add(bytes), told.totals.1.saturating_add(count));
        told.changes += 1;
    }
    Some(told)
}

/// Counts all folders except Trash and writes the file anew.
fn count(disk: &dyn Disk, top: &Path, quota: Quota) -> Result<(i64, i64), StoreError> {
    let (mut bytes, mut messages) = (0_i64, 0_i64);
    let folders = counted_folders(top)?;
    let before = newest(&folders);
    for directory in &folders {
        for file in file_names(directory)? {
            let counted = name::split(&file).filter(|(_, letters)| !letters.contains('T'));
            let Some((unique, _)) = counted else { continue };
            let size = name::size(unique).or_else(|| Some(fs::metadata(directory.join(&file)).ok()?.len()));
            if let Some(size) = size {
                bytes = bytes.saturating_add(i64::try_from(size).unwrap_or(i64::MAX));
                messages += 1;
            }
        }
    }
    let beside = top.join("tmp").join(format!("{FILE}.{}", std::process::id()));
    let text = format!("{}\n{:<13}\n", quota.definition(), format!("{bytes} {messages}"));
    let written = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| disk.rename(&beside, &top.join(FILE)));
    if written.is_err() || newest(&folders) != before {
        // Another process delivered meanwhile: the numbers serve this once, but the file would stay wrong.
        forget(top);
    }
    Ok((bytes, messages))
}

/// The paths of `new` and `cur` in the top directory and in every folder outside Trash.
fn counted_folders(top: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut folders = vec![top.to_owned()];
    folders.extend(directories(top)?.into_iter().filter(|name| !is_trash(name)).map(|name| top.join(name)));
    Ok(folders.iter().flat_map(|folder| [folder.join("new"), folder.join("cur")]).collect())
}

/// Whether the directory of a folder is Trash or below it.
pub(crate) fn is_trash(directory: &str) -> bool {
    directory == ".Trash" || directory.starts_with(".Trash.")
}

fn newest(directories: &[PathBuf]) -> Option<SystemTime> {
    directories.iter().filter_map(|path| fs::metadata(path).ok()?.modified().ok()).max()
}

const FILE: &str = "maildirsize";
const LONG: u64 = 5120;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delivery, Uniques, deliver};

    struct Mailbox {
        folder: tempfile::TempDir,
        uniques: Uniques,
    }

    impl Mailbox {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), uniques: Uniques::new("h", 1, 1) }
        }
        fn top(&self) -> PathBuf {
            self.folder.path().join("Maildir")
        }
        fn put(&self, size: usize, limit: u64, now: SystemTime) -> Result<crate::Delivered, StoreError> {
            let delivery = Delivery { prefix: b"", size: size as u64, quota: Quota::of(Some(limit), None) };
            deliver(&self.top(), &delivery, &mut vec![b'x'; size].as_slice(), &self.uniques.next(now))
        }
        fn text(&self) -> String {
            fs::read_to_string(self.top().join(FILE)).unwrap_or_default()
        }
    }

    #[test]
    fn full_is_permanent_until_something_goes() {
        let mailbox = Mailbox::new();
        let now = SystemTime::now();
        let first = mailbox.put(900, 1000, now).unwrap();
        mailbox.put(1, 1000, now).unwrap();
        let refused = mailbox.put(200, 1000, now).unwrap_err();
        assert!(matches!(refused, StoreError::OverQuota) && refused.is_permanent());
        record(&mailbox.top(), Quota::of(Some(1000), None), -900, -1);
        fs::remove_file(mailbox.top().join("new").join(first.name)).unwrap();
        mailbox.put(200, 1000, now).unwrap();
    }

    #[test]
    fn messages_are_counted_too() {
        let mailbox = Mailbox::new();
        let now = SystemTime::now();
        let put = |quota: Quota| {
            let delivery = Delivery { prefix: b"", size: 1, quota };
            deliver(&mailbox.top(), &delivery, &mut b"x".as_slice(), &mailbox.uniques.next(now))
        };
        let two = Quota::of(Some(10_485_760), Some(2));
        put(two).unwrap();
        put(two).unwrap();
        assert!(matches!(put(two), Err(StoreError::OverQuota)));
        assert!(mailbox.text().starts_with("10485760S,2C\n"), "{}", mailbox.text());
        put(Quota::of(None, Some(0))).unwrap();
    }

    #[test]
    fn what_others_removed_is_seen_after_a_quarter_of_an_hour() {
        let mailbox = Mailbox::new();
        let now = SystemTime::now();
        let first = mailbox.put(900, 1000, now).unwrap();
        fs::write(mailbox.top().join(FILE), "1000S\n900 1\n").unwrap();
        fs::remove_file(mailbox.top().join("new").join(first.name)).unwrap();
        assert!(mailbox.put(200, 1000, now).is_err());
        mailbox.put(200, 1000, now + Duration::from_secs(16 * 60)).unwrap();
    }

    #[test]
    fn the_file_is_counted_anew_when_it_is_wrong() {
        let mailbox = Mailbox::new();
        let now = SystemTime::now();
        mailbox.put(900, 1000, now).unwrap();
        for wrong in ["", "999S\n5 1\n", "1000S\nx 1\n", &format!("1000S\n{}", "0 0          \n".repeat(400))] {
            fs::write(mailbox.top().join(FILE), wrong).unwrap();
            assert!(mailbox.put(200, 1000, now).is_err(), "{wrong:?}");
            assert_eq!(mailbox.text(), "1000S\n900 1        \n");
        }
    }

    #[test]
    fn trash_and_deleted_messages_do_not_count() {
        let mailbox = Mailbox::new();
        let now = SystemTime::now();
        mailbox.put(900, 1000, now).unwrap();
        fs::create_dir_all(mailbox.top().join(".Trash/cur")).unwrap();
        fs::create_dir_all(mailbox.top().join(".Trash/new")).unwrap();
        fs::write(mailbox.top().join(".Trash/cur/1.a,S=500:2,"), "").unwrap();
        fs::write(mailbox.top().join("cur/1.b,S=500:2,T"), "").unwrap();
        forget(&mailbox.top());
        mailbox.put(100, 1000, now).unwrap();
    }
}
