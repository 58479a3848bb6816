//! Delivery of mail: written in `tmp`, synced, linked into `new`, and `new` synced, which makes two sync calls for a
//! message.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use postkiln_mail::Flags;

use crate::disk::{self, Disk, Real};
use crate::wire::WireSize;
use crate::{Quota, StoreError, Unique, name, quota};

/// A message on its way into a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Header lines that go before the content: Return-Path and Delivered-To, LF line ends.
    pub prefix: &'a [u8],
    /// The number of octets that the source gives, with LF line ends.
    pub size: u64,
    /// The limits of the mailbox.
    pub quota: Quota,
}

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The unique name, which includes the sizes.
    pub name: String,
    /// The size of the file in octets.
    pub size: u64,
}

/// Stores a message in the Maildir at `maildir`, which is made when it is missing. When this returns, the message is on
/// stable storage; after an error no reader sees anything of it.
///
/// # Errors
/// [`StoreError::OverQuota`] is permanent; everything else is worth another try.
pub fn deliver(
    maildir: &Path,
    delivery: &Delivery<'_>,
    source: &mut dyn Read,
    unique: &Unique,
) -> Result<Delivered, StoreError> {
    quota::admit(&Real, maildir, delivery.quota, delivery.prefix.len() as u64 + delivery.size, unique.now)?;
    let item = Item {
        prefix: delivery.prefix,
        size: delivery.size,
        flags: Flags::none(),
        internal_date: None,
        unique: &unique.name,
    };
    let delivered = place(&Real, maildir, &item, source)?;
    quota::record(maildir, delivery.quota, i64::try_from(delivered.size).unwrap_or(i64::MAX), 1);
    Ok(delivered)
}

/// A message to be written into a folder.
pub(crate) struct Item<'a> {
    pub(crate) prefix: &'a [u8],
    pub(crate) size: u64,
    pub(crate) flags: Flags,
    pub(crate) internal_date: Option<SystemTime>,
    pub(crate) unique: &'a str,
}

/// Writes a message into a folder without checking the quota.
pub(crate) fn place(
    disk: &dyn Disk,
    folder: &Path,
    item: &Item<'_>,
    source: &mut dyn Read,
) -> Result<Delivered, StoreError> {
    let tmp = folder.join("tmp").join(item.unique);
    let mut file = create(disk, folder, &tmp)?;
    let result = write(disk, &tmp, &mut file, item, source).and_then(|wire| publish(disk, folder, &tmp, item, wire));
    // The file is removed after success, too, since readers see the second name. If it stays, it is removed after 36
    // hours.
    let _ = disk.remove(&tmp);
    result
}

/// Makes the file in `tmp`; makes the Maildir only when this shows that there is none.
fn create(disk: &dyn Disk, folder: &Path, tmp: &Path) -> Result<File, StoreError> {
    match disk.create(tmp) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folder(disk, folder)?;
            disk.create(tmp)
        }
        other => other,
    }
    .map_err(StoreError::io("create", tmp))
}

/// Makes a directory with `tmp`, `new` and `cur`, durably.
pub(crate) fn make_folder(disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
    disk::make_directories(disk, folder).map_err(StoreError::io("create", folder))?;
    for part in ["cur", "new", "tmp"] {
        let path = folder.join(part);
        match disk.make_directory(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StoreError::io("create", &path)(error));
            }
            _ => {}
        }
    }
    disk.sync_directory(folder).map_err(StoreError::io("sync", folder))
}

/// Fills the file and makes it durable; gives its size and the size on the wire.
fn write(
    disk: &dyn Disk,
    tmp: &Path,
    file: &mut File,
    item: &Item<'_>,
    mut source: &mut dyn Read,
) -> Result<(u64, u64), StoreError> {
    let failed = || StoreError::io("write", tmp);
    let mut wire = WireSize::default();
    let mut left = item.size;
    let mut piece = Vec::with_capacity(PIECE);
    piece.extend_from_slice(item.prefix);
    loop {
        let room = (PIECE.saturating_sub(piece.len()) as u64).min(left);
        let read = Read::take(&mut source, room).read_to_end(&mut piece).map_err(StoreError::Source)? as u64;
        if read < room {
            return Err(StoreError::Source(io::ErrorKind::UnexpectedEof.into()));
        }
        left -= read;
        disk.write(file, &piece).map_err(failed())?;
        wire.add(&piece);
        piece.clear();
        if left == 0 {
            break;
        }
    }
    if let Some(date) = item.internal_date {
        disk.set_time(file, date).map_err(failed())?;
    }
    disk.sync(file).map_err(StoreError::io("sync", tmp))?;
    Ok((item.prefix.len() as u64 + item.size, wire.total()))
}

/// Gives the file its final name, where readers look.
fn publish(
    disk: &dyn Disk,
    folder: &Path,
    tmp: &Path,
    item: &Item<'_>,
    (size, wire): (u64, u64),
) -> Result<Delivered, StoreError> {
    let name = format!("{},S={size},W={wire}", item.unique);
    let path = placed(folder, &name, &name::letters(item.flags, ""));
    disk.link(tmp, &path).map_err(StoreError::io("link", &path))?;
    let directory = path.parent().unwrap_or(folder);
    if let Err(error) = disk.sync_directory(directory) {
        // The name is not durable and the caller will try again, so this one must not be seen.
        let _ = disk.remove(&path);
        return Err(StoreError::io("sync", directory)(error));
    }
    Ok(Delivered { name, size })
}

/// The path of a message: in `new` without flags, in `cur` with flags.
pub(crate) fn placed(folder: &Path, unique: &str, letters: &str) -> PathBuf {
    if letters.is_empty() {
        folder.join("new").join(unique)
    } else {
        folder.join("cur").join(name::with_letters(unique, letters))
    }
}

const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::Uniques;
    use crate::disk::failing::Failing;

    fn item(unique: &str, size: u64) -> Item<'_> {
        Item { prefix: b"Return-Path: <>\n", size, flags: Flags::none(), internal_date: None, unique }
    }

    fn files(folder: &Path, part: &str) -> Vec<String> {
        let listed = std::fs::read_dir(folder.join(part))
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect());
        listed.unwrap_or_default()
    }

    #[test]
    fn a_message_costs_two_syncs() {
        let folder = tempfile::tempdir().unwrap();
        place(&Real, folder.path(), &item("u", 4), &mut &b"a\nb\n"[..]).unwrap();
        let disk = Failing::dies_after(100);
        place(&disk, folder.path(), &item("v", 4), &mut &b"a\nb\n"[..]).unwrap();
        assert_eq!(disk.syncs(), 2);
    }

    #[test]
    fn a_message_is_whole_in_a_mailbox_that_is_made_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = folder.path().join("example.org/3f/17/Maildir");
        let unique = Uniques::new("h", 1, 2).next(UNIX_EPOCH);
        let delivery = Delivery { prefix: b"Return-Path: <>\n", size: 4, quota: Quota::NONE };
        let first = deliver(&maildir, &delivery, &mut &b"a\nb\n"[..], &unique).unwrap();
        assert_eq!((first.name, first.size), ("0.M0P1Q0R2.h,S=20,W=23".to_owned(), 20));
        assert_eq!(std::fs::read(maildir.join("new/0.M0P1Q0R2.h,S=20,W=23")).unwrap(), b"Return-Path: <>\na\nb\n");
        assert!(files(&maildir, "tmp").is_empty());
    }

    #[test]
    fn a_source_that_ends_early_or_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let result = place(&Real, folder.path(), &item("u", 5), &mut &b"a\nb\n"[..]);
        assert!(matches!(result, Err(StoreError::Source(_))), "{result:?}");
        assert!(files(folder.path(), "new").is_empty() && files(folder.path(), "tmp").is_empty());
    }

    #[test]
    fn every_step_may_fail_or_be_the_last() {
        for steps in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let maildir = folder.path().join("a/b/Maildir");
            let (handled, dead) = (Failing::fails_once_after(steps), Failing::dies_after(steps));
            let result = place(&handled, &maildir, &item("u", 4), &mut &b"a\nb\n"[..]);
            let seen = files(&maildir, "new");
            assert_eq!(seen.len(), usize::from(result.is_ok()), "step {steps}: {result:?} but {seen:?}");

            let other = folder.path().join("c/Maildir");
            let result = place(&dead, &other, &item("u", 4), &mut &b"a\nb\n"[..]);
            for name in files(&other, "new") {
                // A process that died between link and answer leaves a whole message: the duplicate that qmail has,
                // too.
                assert_eq!(std::fs::read(other.join("new").join(name)).unwrap().len(), 20);
            }
            // After any remains of a dead deliverer, the next delivery succeeds.
            place(&Real, &other, &item("v", 4), &mut &b"a\nb\n"[..]).unwrap();
            if dead.is_unharmed() && result.is_ok() {
                assert!(steps > 10, "only {steps} steps");
                return;
            }
        }
    }
}
