//! The file operations the journal consists of, as a trait so that tests can fail each of them and cut the
//! power between them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FallocateFlags, FlockOperation, RenameFlags};

use crate::JournalError;

/// The two directories that hold what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Folder {
    Log,
    Large,
}

impl Folder {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Large => "large",
        }
    }
}

/// The operations on `log/`, `large/` and `damaged/`.
pub(crate) trait Storage: Send + Sync {
    /// Makes a file, which must not exist.
    fn create(&self, folder: Folder, name: &str) -> io::Result<Box<dyn File>>;
    fn open(&self, folder: Folder, name: &str) -> io::Result<Box<dyn File>>;
    /// A descriptor to read from, which may be handed to another process.
    fn reader(&self, folder: Folder, name: &str) -> io::Result<OwnedFd>;
    /// Renames a file of `log/`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, folder: Folder, name: &str) -> io::Result<()>;
    fn names(&self, folder: Folder) -> io::Result<Vec<OsString>>;
    /// Makes the names of a directory durable (`fsync`).
    fn sync_names(&self, folder: Folder) -> io::Result<()>;
    /// Copies a file to `damaged/`, durably, unless a copy of it lies there; tells whether it was made.
    fn copy_aside(&self, folder: Folder, name: &str) -> io::Result<bool>;
    /// Moves a thing that is not ours to `damaged/`, under a free name.
    fn set_aside(&self, folder: Folder, name: &OsStr) -> io::Result<()>;
}

/// An open file.
pub(crate) trait File: Send + Sync {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Fills the buffer, or a part of it at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    fn length(&self) -> io::Result<u64>;
    /// Takes the room that the file will have, and fills it with zeros.
    fn allocate(&self, length: u64) -> io::Result<()>;
    /// Makes the content durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;
}

/// The directories on a real disk.
#[derive(Debug)]
pub(crate) struct Directory {
    root: PathBuf,
    log: fs::File,
    large: fs::File,
    _lock: fs::File,
}

impl Directory {
    pub(crate) fn open(root: &Path) -> Result<Self, JournalError> {
        let open = || {
            for name in ["log", "large", "damaged"] {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(root.join(name))?;
            }
            let lock =
                fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(root.join("lock"))?;
            rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
            // The directories' own names must outlive a power cut as well.
            postkiln_sys::sync::directory(root)?;
            let (log, large) = (fs::File::open(root.join("log"))?, fs::File::open(root.join("large"))?);
            Ok(Self { root: root.to_owned(), log, large, _lock: lock })
        };
        open().map_err(JournalError::disk("open", &root.display().to_string()))
    }

    fn path(&self, folder: Folder, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(folder.name()).join(name)
    }

    fn damaged(&self, name: &OsStr) -> PathBuf {
        self.root.join("damaged").join(name)
    }
}

impl Storage for Directory {
    fn create(&self, folder: Folder, name: &str) -> io::Result<Box<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        Ok(Box::new(options.open(self.path(folder, name))?))
    }

    fn open(&self, folder: Folder, name: &str) -> io::Result<Box<dyn File>> {
        let path = self.path(folder, name);
        // Opening a pipe may wait for ever.
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(Box::new(fs::OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn reader(&self, folder: Folder, name: &str) -> io::Result<OwnedFd> {
        Ok(fs::File::open(self.path(folder, name))?.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path(Folder::Log, from), self.path(Folder::Log, to));
        Ok(rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
    }

    fn remove(&self, folder: Folder, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(folder, name))
    }

    fn names(&self, folder: Folder) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(self.path(folder, ""))?;
        let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn sync_names(&self, folder: Folder) -> io::Result<()> {
        postkiln_sys::sync::file(match folder {
            Folder::Log => &self.log,
            Folder::Large => &self.large,
        })
    }

    fn copy_aside(&self, folder: Folder, name: &str) -> io::Result<bool> {
        let to = self.damaged(name.as_ref());
        if fs::exists(&to)? {
            return Ok(false);
        }
        let begun = self.damaged(format!("{name}.begun").as_ref());
        fs::copy(self.path(folder, name), &begun)?;
        postkiln_sys::sync::file(fs::File::open(&begun)?)?;
        fs::rename(&begun, &to)?;
        postkiln_sys::sync::directory(&self.root.join("damaged"))?;
        Ok(true)
    }

    fn set_aside(&self, folder: Folder, name: &OsStr) -> io::Result<()> {
        let from = self.path(folder, name);
        for number in 1..=NAMESAKES {
            let mut free = name.to_owned();
            if number > 1 {
                free.push(format!(".{number}"));
            }
            match rustix::fs::renameat_with(CWD, &from, CWD, self.damaged(&free), RenameFlags::NOREPLACE) {
                Err(rustix::io::Errno::EXIST) => {}
                result => return Ok(result?),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

/// The number of things of one name that `damaged/` takes; an operator looks there long before.
const NAMESAKES: u32 = 1000;

/// Zeros are written in pieces of so many octets.
const PIECE: usize = 1 << 20;

impl File for fs::File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        postkiln_sys::fill_at(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    /// Written zeros, since a write into room that was only taken changes the file's map, and then `fdatasync` costs a
    /// commit of the file system's own journal each time. The sync here is for that as well: nothing rests on it.
    fn allocate(&self, length: u64) -> io::Result<()> {
        rustix::fs::fallocate(self, FallocateFlags::empty(), 0, length)?;
        let zeros = vec![0; PIECE];
        let mut at = 0;
        while at < length {
            let piece = usize::try_from(length - at).unwrap_or(PIECE).min(PIECE);
            self.write_all_at(zeros.get(..piece).unwrap_or_default(), at)?;
            at += piece as u64;
        }
        postkiln_sys::sync::file(self)
    }

    fn sync(&self) -> io::Result<()> {
        postkiln_sys::sync::content(self)
    }
}
