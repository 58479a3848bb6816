//! Changes to messages of an open folder: flags, removal, the move from `new` to `cur`. Each change is made under the
//! lease, after another look at the directory, so that it respects other sessions' changes.

use std::collections::HashSet;
use std::io;
use std::time::SystemTime;

use postkiln_mail::Flags;

use crate::scan::Stored;
use crate::{Folder, StoreError, name, quota};

impl Folder {
    /// Gives messages other flags; returns the flags they have now. Missing messages are left out.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`], or when the disk fails: some may have changed.
    pub fn set_flags(
        &mut self,
        uids: &[u32],
        change: impl Fn(Flags) -> Flags,
        now: SystemTime,
    ) -> Result<Vec<(u32, Flags)>, StoreError> {
        let _lease = self.hold(now)?;
        let mut result = Vec::with_capacity(uids.len());
        for at in uids.iter().filter_map(|uid| self.position(*uid)).collect::<Vec<_>>() {
            let Some(message) = self.messages.get_mut(at) else { continue };
            let flags = change(message.flags);
            let letters = name::letters(flags, &message.stored.letters);
            if letters != message.stored.letters {
                let target = format!("cur/{}", name::with_letters(&message.stored.unique, &letters));
                let path = message.stored.path(&self.path);
                match self.home.disk.rename(&path, &self.path.join(&target)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    other => other.map_err(StoreError::io("rename", &path))?,
                }
                message.stored.is_new = false;
                message.stored.file = target;
                message.stored.letters = letters;
                message.flags = flags;
                self.settled = None;
                self.generation += 1;
            }
            result.push((message.uid, flags));
        }
        Ok(result)
    }

    /// Removes messages for good, whatever their flags; returns those that are gone now.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`], or when the disk fails: some may be gone.
    pub fn remove(&mut self, uids: &[u32], now: SystemTime) -> Result<Vec<u32>, StoreError> {
        let _lease = self.hold(now)?;
        self.remove_held(uids)?;
        Ok(uids.iter().copied().filter(|uid| self.position(*uid).is_none()).collect())
    }

    /// Removes the messages that are marked deleted at this moment, only those of `among` where that is given; says
    /// which are gone. A mark that another session has taken back is none (RFC 3501 §6.4.3).
    ///
    /// # Errors
    /// [`StoreError::FolderGone`], or when the disk fails: some may be gone.
    pub fn expunge(&mut self, among: Option<&[u32]>, now: SystemTime) -> Result<Vec<u32>, StoreError> {
        let _lease = self.hold(now)?;
        let among: Option<HashSet<u32>> = among.map(|uids| uids.iter().copied().collect());
        let goes = |uid: &u32| among.as_ref().is_none_or(|among| among.contains(uid));
        let deleted = self.messages.iter().filter(|message| message.flags.contains(Flags::DELETED));
        let uids: Vec<u32> = deleted.map(|message| message.uid).filter(goes).collect();
        self.remove_held(&uids)?;
        Ok(uids)
    }

    /// Removes messages; the caller holds the lease.
    fn remove_held(&mut self, uids: &[u32]) -> Result<(), StoreError> {
        let mut freed = (0, 0);
        let mut gone = HashSet::new();
        let mut result = Ok(());
        for message in uids.iter().filter_map(|uid| self.messages.get(self.position(*uid)?)) {
            let path = message.stored.path(&self.path);
            let size = message.file_size(&self.path);
            match self.home.disk.remove(&path) {
                Ok(()) => {
                    freed = (freed.0 + i64::try_from(size).unwrap_or(0), freed.1 + 1);
                    gone.insert(message.uid);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    gone.insert(message.uid);
                }
                Err(error) => {
                    result = Err(StoreError::io("remove", &path)(error));
                    break;
                }
            }
        }
        if gone.is_empty() {
            return result;
        }
        self.messages.retain(|message| !gone.contains(&message.uid));
        self.settled = None;
        self.generation += 1;
        if !quota::is_trash(&self.name.directory()) && freed.1 > 0 {
            quota::record(&self.home.path, self.home.quota, -freed.0, -freed.1);
        }
        result
    }

    /// Takes these messages from `new` to `cur`, as a POP3 session does at its end.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`], or when the disk fails.
    pub fn mark_old(&mut self, uids: &[u32], now: SystemTime) -> Result<(), StoreError> {
        let _lease = self.hold(now)?;
        let seen = uids.iter().filter_map(|uid| self.messages.get(self.position(*uid)?));
        let mut old: Vec<Stored> = seen.map(|message| message.stored.clone()).collect();
        self.claim(&mut old)?;
        self.settled = None;
        Ok(())
    }
}
