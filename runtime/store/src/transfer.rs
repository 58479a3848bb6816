//! Messages that come from a client or another folder: APPEND, COPY, MOVE.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postkiln_mail::Flags;

use crate::deliver::{Item, place, placed};
use crate::folder::{Folder, Message};
use crate::lease::Lease;
use crate::maildir::Maildir;
use crate::{FolderName, StoreError, name, quota, wire};

/// UIDVALIDITY of the target, and pairs of source and target UIDs, ascending.
type Transferred = (u32, Vec<(u32, u32)>);

impl Maildir {
    /// Stores a message that came with CRLF line ends; gives the folder's UIDVALIDITY and the message's UID.
    ///
    /// # Errors
    /// [`StoreError::NoFolder`], [`StoreError::OverQuota`], [`StoreError::Busy`], or a failing disk.
    pub fn append(
        &self,
        folder: &FolderName,
        flags: Flags,
        internal_date: Option<i64>,
        content: &[u8],
        now: SystemTime,
    ) -> Result<(u32, u32), StoreError> {
        let directory = self.existing(folder)?;
        let _lease = Lease::take(&self.path)?;
        let mut target = Folder::new(self.clone(), folder.clone(), directory);
        let content = wire::from_wire(content);
        let size = content.len() as u64;
        let counted = !quota::is_trash(&folder.directory());
        if counted {
            quota::admit(&*self.disk, &self.path, self.quota, size, now)?;
        }
        let unique = self.uniques.next(now).to_string();
        let internal_date = internal_date.map(|seconds| at(seconds).unwrap_or(now));
        let item = Item { prefix: b"", size, flags, internal_date, unique: &unique };
        let delivered = place(&*self.disk, &target.path, &item, &mut content.as_slice())?;
        if counted {
            quota::record(&self.path, self.quota, i64::try_from(size).unwrap_or(i64::MAX), 1);
        }
        if let Err(error) = target.refresh_held(now, false) {
            // Without a UID the client is told no, and must not find the message later.
            let _ = self.disk.remove(&placed(&target.path, &delivered.name, &name::letters(flags, "")));
            quota::forget(&self.path);
            return Err(error);
        }
        let uid = target.uid_of(&delivered.name).ok_or(StoreError::Gone)?;
        Ok((target.listing().uid_validity, uid))
    }
}

impl Folder {
    /// Copies messages, all or none. The copies share the files' content (hard links): content never changes, flags are
    /// in the names.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`] when this folder is not the one that was opened, [`StoreError::Gone`] when one of the
    /// messages is not here any more, [`StoreError::NoFolder`], [`StoreError::OverQuota`], or a failing disk.
    pub fn copy_to(&mut self, uids: &[u32], to: &FolderName, now: SystemTime) -> Result<Transferred, StoreError> {
        let _lease = self.hold(now)?;
        let mut target = Self::new(self.home.clone(), to.clone(), self.home.existing(to)?);
        let messages = uids.iter().filter_map(|uid| self.messages.get(self.position(*uid)?)).collect::<Vec<_>>();
        if messages.len() != uids.len() {
            return Err(StoreError::Gone);
        }
        let counted = !quota::is_trash(&to.directory());
        let size = self.sizes(&messages);
        if counted {
            quota::admit_many(&*self.home.disk, &self.home.path, self.home.quota, (size, messages.len() as u64), now)?;
        }
        let mut made: Vec<(u32, String, PathBuf)> = Vec::with_capacity(messages.len());
        let linked = messages.iter().try_for_each(|message| {
            let (unique, path) = self.new_place(message, &target.path, now);
            let source = message.stored.path(&self.path);
            self.home.disk.link(&source, &path).map_err(StoreError::io("link", &source))?;
            made.push((message.uid, unique, path));
            Ok(())
        });
        let told = linked.and_then(|()| target.sync_places()).and_then(|()| target.told(&made, now));
        if told.is_err() {
            for (_, _, path) in made {
                let _ = self.home.disk.remove(&path);
            }
        } else if counted {
            self.note(size, made.len());
        }
        told
    }

    /// Moves messages (RFC 6851); those that are gone already are left out.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`] when this folder is not the one that was opened, [`StoreError::NoFolder`],
    /// [`StoreError::OverQuota`] out of Trash, or a failing disk: some may have moved.
    pub fn move_to(&mut self, uids: &[u32], to: &FolderName, now: SystemTime) -> Result<Transferred, StoreError> {
        let _lease = self.hold(now)?;
        self.move_held(uids, to, now)
    }

    /// As [`Self::move_to`], by who holds the lease and has looked.
    pub(crate) fn move_held(
        &mut self,
        uids: &[u32],
        to: &FolderName,
        now: SystemTime,
    ) -> Result<Transferred, StoreError> {
        let mut target = Self::new(self.home.clone(), to.clone(), self.home.existing(to)?);
        let messages = uids.iter().filter_map(|uid| self.messages.get(self.position(*uid)?)).collect::<Vec<_>>();
        let (from_trash, to_trash) = (quota::is_trash(&self.name.directory()), quota::is_trash(&to.directory()));
        let size = self.sizes(&messages);
        if from_trash && !to_trash {
            quota::admit_many(&*self.home.disk, &self.home.path, self.home.quota, (size, messages.len() as u64), now)?;
        }
        let mut made = Vec::with_capacity(messages.len());
        let mut result = Ok(());
        for message in messages {
            let (unique, path) = self.new_place(message, &target.path, now);
            let source = message.stored.path(&self.path);
            if let Err(error) = self.home.disk.rename(&source, &path) {
                result = Err(StoreError::io("rename", &source)(error));
                break;
            }
            made.push((message.uid, unique, path));
        }
        // The numbers change only across Trash; what moved before a failure is counted when they are next made anew.
        match (from_trash, to_trash) {
            (true, false) => self.note(size, made.len()),
            (false, true) => quota::record(
                &self.home.path,
                self.home.quota,
                i64::try_from(size).map_or(0, |size| -size),
                i64::try_from(made.len()).map_or(0, |count| -count),
            ),
            _ => {}
        }
        target.sync_places()?;
        self.sync_places()?;
        self.refresh_held(now, false)?;
        let told = target.told(&made, now)?;
        if told.1.is_empty() { result.map(|()| told) } else { Ok(told) }
    }

    fn sizes(&self, messages: &[&Message]) -> u64 {
        messages.iter().map(|message| message.file_size(&self.path)).sum()
    }

    fn note(&self, size: u64, count: usize) {
        let (size, count) = (i64::try_from(size).unwrap_or(i64::MAX), i64::try_from(count).unwrap_or(i64::MAX));
        quota::record(&self.home.path, self.home.quota, size, count);
    }

    /// A new name in the target: a name that came back would bring its old UID back. Always in `cur`, or
    /// `new` without flags.
    fn new_place(&self, message: &Message, target: &Path, now: SystemTime) -> (String, PathBuf) {
        let size = message.file_size(&self.path);
        let unique = format!("{},S={size},W={}", self.home.uniques.next(now), message.wire_size);
        let path = placed(target, &unique, &message.stored.letters);
        (unique, path)
    }

    fn sync_places(&self) -> Result<(), StoreError> {
        for part in ["new", "cur"] {
            let path = self.path.join(part);
            self.home.disk.sync_directory(&path).map_err(StoreError::io("sync", &path))?;
        }
        Ok(())
    }

    /// The UIDs of the new messages.
    fn told(&mut self, made: &[(u32, String, PathBuf)], now: SystemTime) -> Result<Transferred, StoreError> {
        self.refresh_held(now, false)?;
        let uids: HashMap<&str, u32> =
            self.messages.iter().map(|message| (message.stored.unique.as_str(), message.uid)).collect();
        let pairs = made.iter().filter_map(|(uid, unique, _)| Some((*uid, *uids.get(unique.as_str())?))).collect();
        Ok((self.listing().uid_validity, pairs))
    }

    fn uid_of(&self, unique: &str) -> Option<u32> {
        self.messages.iter().rev().find(|message| message.stored.unique == unique).map(|message| message.uid)
    }
}

/// A file's time from Unix seconds.
fn at(seconds: i64) -> Option<SystemTime> {
    match u64::try_from(seconds) {
        Ok(after) => UNIX_EPOCH.checked_add(Duration::from_secs(after)),
        Err(_) => UNIX_EPOCH.checked_sub(Duration::from_secs(seconds.unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::disk::Disk;
    use crate::disk::failing::Failing;
    use crate::{Quota, Uniques};

    struct World {
        _folder: tempfile::TempDir,
        path: PathBuf,
        uniques: Arc<Uniques>,
        now: SystemTime,
    }

    impl World {
        /// INBOX with two messages, and an empty folder.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("Maildir");
            let world =
                Self { _folder: folder, path, uniques: Arc::new(Uniques::new("h", 1, 1)), now: SystemTime::now() };
            let maildir = world.maildir();
            maildir.create(&name("A"), world.now).unwrap();
            for flags in [Flags::none(), Flags::SEEN] {
                maildir.append(&FolderName::inbox(), flags, None, b"x\r\n", world.now).unwrap();
            }
            world
        }

        fn maildir(&self) -> Maildir {
            Maildir::new(&self.path, Quota::NONE, self.uniques.clone())
        }

        fn on(&self, disk: Arc<dyn Disk>) -> Maildir {
            Maildir { disk, ..self.maildir() }
        }

        fn uids(&self, folder: &str) -> Vec<u32> {
            let mut folder = self.maildir().open(&name(folder), self.now).unwrap();
            folder.refresh(self.now, false).unwrap();
            folder.listing().messages.iter().map(|message| message.uid).collect()
        }
    }

    fn name(text: &str) -> FolderName {
        FolderName::new(text).unwrap()
    }

    /// Does something on a disk that fails once at each step in turn, and on one that dies there, and checks the
    /// remains.
    fn at_every_step<T>(
        act: impl Fn(&Maildir, SystemTime) -> Result<T, StoreError>,
        check: impl Fn(&World, &str, Result<T, StoreError>),
    ) {
        for steps in 0.. {
            let world = World::new();
            let dying = Arc::new(Failing::dies_after(steps));
            let result = act(&world.on(dying.clone()), world.now);
            if dying.is_unharmed() {
                assert!(result.is_ok() && steps > 3, "only {steps} steps");
                return check(&world, "unharmed", result);
            }
            check(&world, &format!("died at {steps}"), result);
            let world = World::new();
            let failing = Arc::new(Failing::fails_once_after(steps));
            let result = act(&world.on(failing), world.now);
            check(&world, &format!("handled at {steps}"), result);
        }
    }

    #[test]
    fn a_message_that_moves_is_in_one_place() {
        let act = |maildir: &Maildir, now| maildir.open(&FolderName::inbox(), now)?.move_to(&[1, 2], &name("A"), now);
        at_every_step(act, |world, step, _| {
            let (here, there) = (world.uids("INBOX"), world.uids("A"));
            assert_eq!(here.len() + there.len(), 2, "{step}: {here:?} {there:?}");
        });
    }

    #[test]
    fn a_copy_that_failed_is_not_there() {
        let act = |maildir: &Maildir, now| maildir.open(&FolderName::inbox(), now)?.copy_to(&[1, 2], &name("A"), now);
        at_every_step(act, |world, step, result| {
            let (here, there) = (world.uids("INBOX"), world.uids("A"));
            assert_eq!(here, [1, 2], "{step}");
            match result {
                Ok((_, pairs)) => assert_eq!(pairs.iter().map(|pair| pair.1).collect::<Vec<_>>(), there, "{step}"),
                Err(_) if step.starts_with("handled") => assert_eq!(there, [], "{step}"),
                // A dead process leaves whole messages; the client never heard of them.
                Err(_) => assert!(there.len() <= 2, "{step}"),
            }
        });
    }

    #[test]
    fn what_is_appended_has_its_uid() {
        let act = |maildir: &Maildir, now| maildir.append(&name("A"), Flags::SEEN, None, b"x\r\n", now);
        at_every_step(act, |world, step, result| {
            let there = world.uids("A");
            match result {
                Ok((_, uid)) => assert_eq!(there, [uid], "{step}"),
                Err(_) if step.starts_with("handled") => assert_eq!(there, [], "{step}"),
                Err(_) => assert!(there.len() <= 1, "{step}"),
            }
        });
    }
}
