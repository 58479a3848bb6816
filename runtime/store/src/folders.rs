//! Folders of a mailbox: Maildir++ directories `.A.B` beside `new` and `cur` of INBOX.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::deliver::make_folder;
use crate::lease::Lease;
use crate::maildir::Maildir;
use crate::{Folder, StoreError, quota, scan, uidfile};

/// The name of a folder: `INBOX`, or levels of modified UTF-7 (RFC 3501 §5.1.3) with `/` between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderName(String);

impl FolderName {
    /// The mailbox's top directory.
    #[must_use]
    pub fn inbox() -> Self {
        Self(INBOX.to_owned())
    }

    /// Takes a name as IMAP spells it.
    ///
    /// # Errors
    /// When a level is empty, a character is not printable ASCII, or the directory's name would be too long.
    pub fn new(name: &str) -> Result<Self, StoreError> {
        if name.eq_ignore_ascii_case(INBOX) {
            return Ok(Self::inbox());
        }
        let name = Self(name.to_owned());
        let levels_stand = name.0.split('/').all(|level| !level.is_empty());
        let printable = name.0.bytes().all(|b| (b' '..=b'~').contains(&b));
        if levels_stand && printable && !name.0.contains(DOT) && name.directory().len() <= LONGEST {
            Ok(name)
        } else {
            Err(StoreError::Name(name.0))
        }
    }

    /// The name in IMAP's spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the folder is the mailbox's top directory.
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        self.0 == INBOX
    }

    /// `A/B` lies in `.A.B`. A dot within a level would read as a level: it is written in modified UTF-7's escape,
    /// which never stands for a dot in a name that IMAP admits.
    pub(crate) fn directory(&self) -> String {
        format!(".{}", self.0.replace('.', DOT).replace('/', "."))
    }

    fn from_directory(directory: &str) -> Option<Self> {
        let name = directory.strip_prefix('.')?.replace('.', "/").replace(DOT, ".");
        Self::new(&name).ok().filter(|name| !name.is_inbox())
    }

    /// The name below another parent: `A/B/C` of `A/B` in `X` is `X/C`.
    pub(crate) fn moved(&self, from: &Self, to: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&from.0)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| Self(format!("{}{rest}", to.0)))
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Maildir {
    /// All folders, INBOX first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn folders(&self) -> Result<Vec<FolderName>, StoreError> {
        let directories = scan::directories(&self.path)?;
        let named = directories.iter().filter_map(|directory| FolderName::from_directory(directory));
        Ok(std::iter::once(FolderName::inbox()).chain(named).collect())
    }

    /// The directory of a folder, which need not exist.
    pub(crate) fn directory(&self, name: &FolderName) -> PathBuf {
        if name.is_inbox() { self.path.clone() } else { self.path.join(name.directory()) }
    }

    /// The directory of a folder that exists. INBOX always does: its directories are made when they are missing.
    pub(crate) fn existing(&self, name: &FolderName) -> Result<PathBuf, StoreError> {
        let directory = self.directory(name);
        if directory.join("cur").is_dir() {
            Ok(directory)
        } else if name.is_inbox() {
            make_folder(&*self.disk, &directory)?;
            Ok(directory)
        } else {
            Err(StoreError::NoFolder(name.to_string()))
        }
    }

    /// Makes a folder. Folders above it need no directory of their own.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or a failing disk.
    pub fn create(&self, name: &FolderName, now: SystemTime) -> Result<(), StoreError> {
        self.existing(&FolderName::inbox())?;
        let _lease = Lease::take(&self.path)?;
        self.create_held(name, now)
    }

    /// As [`Self::create`], by who holds the lease.
    fn create_held(&self, name: &FolderName, now: SystemTime) -> Result<(), StoreError> {
        let directory = self.directory(name);
        if name.is_inbox() || directory.join("cur").is_dir() {
            return Err(StoreError::Exists(name.to_string()));
        }
        // Filled in `tmp` first: a folder is there as a whole or not at all.
        let beside = self.path.join("tmp").join(self.uniques.next(now).to_string());
        make_folder(&*self.disk, &beside)?;
        let marker = beside.join("maildirfolder");
        self.disk.create(&marker).map_err(StoreError::io("create", &marker))?;
        self.rename_directory(&beside, &directory)
    }

    /// Removes a folder with its messages; those below it stay.
    ///
    /// # Errors
    /// [`StoreError::NoFolder`], [`StoreError::Name`] for INBOX, or a failing disk.
    pub fn delete(&self, name: &FolderName, now: SystemTime) -> Result<(), StoreError> {
        if name.is_inbox() {
            return Err(StoreError::Name(name.to_string()));
        }
        let _lease = Lease::take(&self.path)?;
        let directory = self.existing(name)?;
        let beside = self.path.join("tmp").join(self.uniques.next(now).to_string());
        self.rename_directory(&directory, &beside)?;
        quota::forget(&self.path);
        // A crash before the end leaves it in `tmp`, where it is removed after 36 hours.
        let _ = self.disk.remove_tree(&beside);
        Ok(())
    }

    /// Renames a folder and those below it. The messages of INBOX go to the new folder, and INBOX stays.
    ///
    /// # Errors
    /// [`StoreError::NoFolder`], [`StoreError::Exists`], [`StoreError::Name`] when it would lie below itself, or a
    /// failing disk, after which some of the folders below may have moved.
    pub fn rename(&self, from: &FolderName, to: &FolderName, now: SystemTime) -> Result<(), StoreError> {
        if from.is_inbox() {
            return self.rename_inbox(to, now);
        }
        if to.is_inbox() {
            return Err(StoreError::Exists(to.to_string()));
        }
        if to.moved(from, from).is_some() && to != from {
            return Err(StoreError::Name(to.to_string()));
        }
        let _lease = Lease::take(&self.path)?;
        let folders = self.folders()?;
        let moves: Vec<_> = folders.iter().filter_map(|folder| Some((folder, folder.moved(from, to)?))).collect();
        if moves.is_empty() {
            return Err(StoreError::NoFolder(from.to_string()));
        }
        for (_, target) in &moves {
            FolderName::new(target.as_str())?;
            if folders.contains(target) {
                return Err(StoreError::Exists(target.to_string()));
            }
        }
        for (source, target) in moves {
            self.rename_directory(&self.directory(source), &self.directory(&target))?;
        }
        Ok(())
    }

    /// RFC 3501 §6.3.5: all messages go to a new folder, INBOX stays, empty.
    fn rename_inbox(&self, to: &FolderName, now: SystemTime) -> Result<(), StoreError> {
        let mut inbox: Folder = self.open(&FolderName::inbox(), now)?;
        let _lease = inbox.hold(now)?;
        self.create_held(to, now)?;
        let uids: Vec<u32> = inbox.listing().messages.iter().map(|message| message.uid).collect();
        inbox.move_held(&uids, to, now).map(|_| ())
    }

    fn rename_directory(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.disk.rename(from, to).map_err(StoreError::io("rename", from))?;
        self.disk.sync_directory(&self.path).map_err(StoreError::io("sync", &self.path))
    }

    /// The subscribed folders; they need not exist.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn subscriptions(&self) -> Result<Vec<FolderName>, StoreError> {
        let path = self.path.join(SUBSCRIPTIONS);
        match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(StoreError::io("read", &path)(error)),
            Ok(text) => Ok(text.lines().filter_map(|line| FolderName::new(line).ok()).collect()),
        }
    }

    /// Changes the list of subscriptions.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn subscribe(&self, name: &FolderName, subscribed: bool) -> Result<(), StoreError> {
        self.existing(&FolderName::inbox())?;
        let _lease = Lease::take(&self.path)?;
        let mut names = self.subscriptions()?;
        if names.contains(name) == subscribed {
            return Ok(());
        }
        names.retain(|known| known != name);
        names.extend(subscribed.then(|| name.clone()));
        names.sort_unstable();
        let text: String = names.iter().map(|name| format!("{name}\n")).collect();
        uidfile::put(&*self.disk, &self.path.join(SUBSCRIPTIONS), text.as_bytes())
    }
}

const INBOX: &str = "INBOX";
/// A dot, as modified UTF-7 escapes it.
const DOT: &str = "&AC4-";
/// The longest name of a folder's directory in octets; a file's name has at most 255 (NAME_MAX).
const LONGEST: usize = 250;
const SUBSCRIPTIONS: &str = "postkiln-subscribed";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quota;
    use std::sync::Arc;

    fn name(text: &str) -> FolderName {
        FolderName::new(text).unwrap()
    }

    fn listed(maildir: &Maildir) -> Vec<String> {
        maildir.folders().unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_and_directories() {
        for (text, directory) in
            [("A/B", ".A.B"), ("Mr. X", ".Mr&AC4- X"), ("&AOk-.x", ".&AOk-&AC4-x"), ("..", ".&AC4-&AC4-")]
        {
            assert_eq!(name(text).directory(), directory);
            assert_eq!(FolderName::from_directory(directory), Some(name(text)));
        }
        for bad in ["", "/", "A//B", "A/", "/A", "a\nb", "\u{e9}", "a&AC4-b", &"x".repeat(251)] {
            assert!(FolderName::new(bad).is_err(), "{bad:?}");
        }
        assert!(name("inbox").is_inbox());
    }

    #[test]
    fn folders_are_made_renamed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let uniques = Arc::new(crate::Uniques::new("h", 1, 1));
        let maildir = Maildir::new(&folder.path().join("Maildir"), Quota::NONE, uniques);
        let now = SystemTime::now();
        for folder in ["A", "A/B", "C"] {
            maildir.create(&name(folder), now).unwrap();
        }
        assert!(matches!(maildir.create(&name("A"), now), Err(StoreError::Exists(_))));
        assert!(matches!(maildir.create(&name("INBOX"), now), Err(StoreError::Exists(_))));
        assert!(matches!(maildir.rename(&name("A"), &name("C"), now), Err(StoreError::Exists(_))));
        assert!(matches!(maildir.rename(&name("A"), &name("A/X"), now), Err(StoreError::Name(_))));
        maildir.rename(&name("A"), &name("D/E"), now).unwrap();
        assert_eq!(listed(&maildir), ["INBOX", "C", "D/E", "D/E/B"]);
        maildir.delete(&name("D/E"), now).unwrap();
        assert_eq!(listed(&maildir), ["INBOX", "C", "D/E/B"]);
        assert!(matches!(maildir.delete(&name("D/E"), now), Err(StoreError::NoFolder(_))));
        maildir.subscribe(&name("C"), true).unwrap();
        maildir.subscribe(&name("gone"), true).unwrap();
        maildir.subscribe(&name("C"), false).unwrap();
        assert_eq!(maildir.subscriptions().unwrap(), [name("gone")]);
    }
}
