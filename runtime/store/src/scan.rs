//! Reading the directories of a Maildir.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::{StoreError, name};

/// One message file as a directory shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The part of the name that never changes: POP3's UIDL.
    pub unique: String,
    /// The letters of the flags, after `:2,`.
    pub letters: String,
    /// Whether the file is in `new`, where no reader has seen it.
    pub is_new: bool,
    /// The path of the file, below the folder's directory.
    pub file: String,
}

impl Stored {
    /// The path of the file, given the folder's directory.
    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.file)
    }
}

/// All messages of a folder, sorted by unique name. One that is in `cur` and `new` counts once.
pub(crate) fn messages(folder: &Path) -> Result<Vec<Stored>, StoreError> {
    let mut found = Vec::new();
    for (part, is_new) in [("cur", false), ("new", true)] {
        for file in file_names(&folder.join(part))? {
            if let Some((unique, letters)) = name::split(&file) {
                let (unique, letters) = (unique.to_owned(), letters.to_owned());
                found.push(Stored { unique, letters, is_new, file: format!("{part}/{file}") });
            }
        }
    }
    found.sort_by(|a, b| (&a.unique, a.is_new).cmp(&(&b.unique, b.is_new)));
    found.dedup_by(|later, earlier| later.unique == earlier.unique);
    Ok(found)
}

/// Names in a directory that are UTF-8; a directory that is missing holds none.
pub(crate) fn file_names(directory: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(StoreError::io("read", directory))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("read", directory))?;
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

/// Names of the folders' directories (`.A.B`) in a Maildir, sorted.
pub(crate) fn directories(top: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = file_names(top)?;
    names.retain(|name| name.len() > 1 && name.starts_with('.') && name != ".." && top.join(name).join("cur").is_dir());
    names.sort_unstable();
    Ok(names)
}

/// The times at which `new` and `cur` last changed.
pub(crate) fn modified(folder: &Path) -> Result<(SystemTime, SystemTime), StoreError> {
    let time = |part: &str| {
        let path = folder.join(part);
        fs::metadata(&path).and_then(|found| found.modified()).map_err(StoreError::io("read", &path))
    };
    Ok((time("new")?, time("cur")?))
}

/// Removes files older than 36 hours from `tmp`: no delivery takes that long.
pub(crate) fn clean_tmp(folder: &Path, now: SystemTime) {
    let tmp = folder.join("tmp");
    for name in file_names(&tmp).unwrap_or_default() {
        let path = tmp.join(name);
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        let touched = [found.modified().ok(), found.accessed().ok()].into_iter().flatten().max();
        let is_old =
            touched.is_some_and(|time| now.duration_since(time).is_ok_and(|age| age > Duration::from_secs(36 * 3600)));
        if is_old {
            let _ = if found.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmp_is_cleaned_after_36_hours() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        let file = fs::File::create(folder.path().join("tmp/1.x")).unwrap();
        let now = SystemTime::now();
        drop(file);
        clean_tmp(folder.path(), now + Duration::from_secs(35 * 3600));
        assert!(folder.path().join("tmp/1.x").exists());
        clean_tmp(folder.path(), now + Duration::from_secs(37 * 3600));
        assert!(!folder.path().join("tmp/1.x").exists());
    }

    #[test]
    fn only_messages_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cur/1.a:2,S", "cur/.hidden", "cur/2.b", "new/3.c", "new/1.a", "new/4.d:2,S"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found: Vec<_> = messages(folder.path()).unwrap().into_iter().map(|m| (m.unique, m.is_new)).collect();
        let expected = [("1.a", false), ("2.b", false), ("3.c", true), ("4.d", true)];
        assert_eq!(found, expected.map(|(name, is_new)| (name.to_owned(), is_new)));
    }
}
