//! Durable writes, counted: every call that waits for stable storage goes through here, so that sync calls per message
//! can be reported and a test can see one missing.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, Mode, OFlags, openat};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Makes a file's content and size durable (fsync(2)).
///
/// # Errors
/// When the disk reports a failure: data written since the last success may be lost.
pub fn file(file: impl AsFd) -> io::Result<()> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    Ok(rustix::fs::fsync(file)?)
}

/// Like [`file`], without the file's times (fdatasync(2)).
///
/// # Errors
/// The same as those of [`file`].
pub fn content(file: impl AsFd) -> io::Result<()> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    Ok(rustix::fs::fdatasync(file)?)
}

/// Makes a directory's entries durable (fsync(2)).
///
/// # Errors
/// The errors of [`file`], and one when the directory cannot be opened.
pub fn directory(path: &Path) -> io::Result<()> {
    self::file(openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The number of calls in this process so far.
#[must_use]
pub fn calls() -> u64 {
    CALLS.load(Ordering::Relaxed)
}

/// Puts `bytes` at `path` with mode `mode`. A reader sees the old or the new content and never a part, even after a
/// power cut.
///
/// # Errors
/// When a step fails; the old content is then still there.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    written_beside(path, bytes, mode, true)
}

/// Like [`replace`], without waiting for the disk: for state that is made anew at each start.
///
/// # Errors
/// The same as those of [`replace`].
pub fn replace_volatile(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    written_beside(path, bytes, mode, false)
}

fn written_beside(path: &Path, bytes: &[u8], mode: u32, durable: bool) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    let mut beside = name.to_owned();
    beside.push(".new");
    let beside = folder.join(beside);
    let mut file = File::options().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    if durable {
        self::file(&file)?;
    }
    std::fs::rename(&beside, path)?;
    if durable { directory(folder) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_has_the_new_content_and_costs_two_syncs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        replace(&path, b"old", 0o600).unwrap();
        let before = calls();
        replace(&path, b"new", 0o600).unwrap();
        assert!(calls() >= before + 2);
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
