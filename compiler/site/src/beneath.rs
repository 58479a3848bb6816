//! Reading files of the site and nothing else: every path is resolved beneath the root by the kernel, without
//! following symbolic links (openat2 with RESOLVE_BENEATH). Knows nothing about what the files mean.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::child::Ended;

/// The site's folder.
#[derive(Debug)]
pub(crate) struct Beneath {
    root: OwnedFd,
    /// Every path that was asked for, found or not.
    asked: Mutex<BTreeSet<String>>,
}

/// Why a file beneath the root was not read. The message reads as a sentence after the file's name.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum BeneathError {
    /// A symbolic link, or a path that leads out of the root.
    #[error("leads out of the site, or is reached through a symbolic link")]
    Outside,
    /// The root holds no file of this path.
    #[error("does not exist in the site")]
    Absent,
    /// The path names a folder, a socket or a device.
    #[error("is not an ordinary file")]
    NotAFile,
    /// The file is larger than any site.
    #[error("is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
    /// All files of the site together are larger than this many MiB.
    #[error("is too much: all files beside a site may have {0} MiB together")]
    TooMuch(u64),
    /// The process that reads the files ended, for this reason.
    #[error("was not read: {0}")]
    Ended(Ended),
    /// Any other failure of the system.
    #[error("cannot be read: {0}")]
    Io(String),
}

impl From<Ended> for BeneathError {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl BeneathError {
    /// Advice for the person; `absent` is the advice for a file that does not exist.
    pub(crate) const fn hint<'a>(&self, absent: &'a str) -> &'a str {
        match self {
            Self::Outside => "copy the file into the site",
            Self::Absent => absent,
            Self::NotAFile => "name a file, not the folder or device of this name",
            Self::TooLarge => "divide it among several files",
            Self::TooMuch(_) | Self::Ended(_) => "look for a file that is far too large, or named by mistake",
            Self::Io(_) => "look at the file's permissions",
        }
    }
}

impl Beneath {
    /// Opens the root; here links are followed, because the person named it.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { root: openat(CWD, root, flags, Mode::empty())?, asked: Mutex::default() })
    }

    /// Every path that was asked for so far: the files that the site depends on.
    pub(crate) fn asked(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of the file at `path`, relative to the root.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, BeneathError> {
        self.asked().insert(path.to_owned());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let file = openat2(&self.root, path, flags, Mode::empty(), resolve).map_err(|errno| match errno {
            Errno::LOOP | Errno::XDEV => BeneathError::Outside,
            Errno::NOENT | Errno::NOTDIR => BeneathError::Absent,
            other => BeneathError::Io(io::Error::from(other).to_string()),
        })?;
        content(file)
    }
}

/// The content of a file that was opened without waiting, if it is an ordinary one of no more than [`LARGEST`] octets.
fn content(file: OwnedFd) -> Result<Vec<u8>, BeneathError> {
    let failed = |error: io::Error| BeneathError::Io(error.to_string());
    let status = fstat(&file).map_err(|errno| failed(errno.into()))?;
    if !FileType::from_raw_mode(status.st_mode).is_file() {
        return Err(BeneathError::NotAFile);
    }
    let mut bytes = Vec::new();
    File::from(file).take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST { Err(BeneathError::TooLarge) } else { Ok(bytes) }
}

/// The content of the file at `path`, for commands that read a file of a site by themselves: never one that waits for a
/// writer or has no end. Symbolic links are followed.
///
/// # Errors
/// When there is no file, it is no ordinary one or larger than 64 MiB, or the system refuses.
pub fn ordinary(path: &Path) -> io::Result<Vec<u8>> {
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())?;
    content(file).map_err(io::Error::other)
}

const LARGEST: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn check(root: &Beneath, path: &str, expected: &str) {
        let found = match root.read(path) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn only_ordinary_files_beneath_the_root_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        std::fs::create_dir_all(site.join("sub")).unwrap();
        std::fs::write(folder.path().join("secret"), "secret").unwrap();
        std::fs::write(site.join("sub/a.txt"), "inside").unwrap();
        symlink("../secret", site.join("out")).unwrap();
        symlink("sub/a.txt", site.join("in")).unwrap();
        let root = Beneath::open(&site).unwrap();
        check(&root, "sub/a.txt", "inside");
        check(&root, "sub/../sub/a.txt", "inside");
        let outside = "leads out of the site, or is reached through a symbolic link";
        for path in ["../secret", "/etc/hostname", "out", "in", "sub/../../secret"] {
            check(&root, path, outside);
        }
        check(&root, "absent", "does not exist in the site");
        check(&root, "sub", "is not an ordinary file");
    }

    #[test]
    fn a_file_that_waits_or_has_no_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let endless = folder.path().join("endless");
        symlink("/dev/zero", &endless).unwrap();
        for path in [&pipe, &endless] {
            assert_eq!(ordinary(path).unwrap_err().to_string(), "is not an ordinary file");
        }
        assert_eq!(ordinary(&folder.path().join("absent")).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(folder.path().join("plain"), "text").unwrap();
        symlink("plain", folder.path().join("link")).unwrap();
        assert_eq!(ordinary(&folder.path().join("link")).unwrap(), b"text");
    }
}
