//! The file operations the queue consists of, as a trait so that tests can fail each of them and cut the
//! power between them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, RenameFlags};

use crate::QueueError;

/// The operations on the directories `messages/` and `damaged/`.
pub(crate) trait Storage: Send + Sync {
    /// Makes the file `messages/NAME`, which must not exist.
    fn create(&self, name: &str) -> io::Result<Box<dyn Stored>>;
    fn open(&self, name: &str) -> io::Result<Box<dyn Stored>>;
    /// Whether `messages/NAME` is an ordinary file: a directory, a link or a pipe is no message, and opening one may
    /// wait for ever.
    fn is_file(&self, name: &str) -> io::Result<bool>;
    fn reader(&self, name: &str) -> io::Result<OwnedFd>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Moves a file to `damaged/NAME`, or to `damaged/NAME.2` and so on when that name is taken.
    fn set_aside(&self, name: &OsStr) -> io::Result<()>;
    fn names(&self) -> io::Result<Vec<OsString>>;
    /// Makes the names in `messages/` durable (`fsync`).
    fn sync_names(&self) -> io::Result<()>;
}

/// An open file of `messages/`.
pub(crate) trait Stored: Send {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Fills the buffer, or a part of it at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    fn truncate(&self, length: u64) -> io::Result<()>;
    /// Makes the content durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;
}

/// The directories on a real disk.
#[derive(Debug)]
pub(crate) struct Directory {
    messages: PathBuf,
    damaged: PathBuf,
    messages_directory: fs::File,
    _lock: fs::File,
}

impl Directory {
    pub(crate) fn open(root: &Path) -> Result<Self, QueueError> {
        let (messages, damaged) = (root.join("messages"), root.join("damaged"));
        for directory in [&messages, &damaged] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .map_err(QueueError::directory(directory))?;
        }
        let lock = lock(&root.join("lock")).map_err(QueueError::directory(root))?;
        // The two directories' own names must outlive a power cut as well.
        let sync = |path: &Path| fs::File::open(path)?.sync_all();
        sync(root).map_err(QueueError::directory(root))?;
        let messages_directory = fs::File::open(&messages).map_err(QueueError::directory(&messages))?;
        Ok(Self { messages, damaged, messages_directory, _lock: lock })
    }
}

impl Storage for Directory {
    fn create(&self, name: &str) -> io::Result<Box<dyn Stored>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        Ok(Box::new(options.open(self.messages.join(name))?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Stored>> {
        Ok(Box::new(fs::OpenOptions::new().read(true).write(true).open(self.messages.join(name))?))
    }

    fn is_file(&self, name: &str) -> io::Result<bool> {
        Ok(fs::symlink_metadata(self.messages.join(name))?.is_file())
    }

    fn reader(&self, name: &str) -> io::Result<OwnedFd> {
        Ok(fs::File::open(self.messages.join(name))?.into())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.messages.join(name))
    }

    fn set_aside(&self, name: &OsStr) -> io::Result<()> {
        let from = self.messages.join(name);
        for number in 1..=NAMESAKES {
            let mut free = name.to_owned();
            if number > 1 {
                free.push(format!(".{number}"));
            }
            match rustix::fs::renameat_with(CWD, &from, CWD, self.damaged.join(free), RenameFlags::NOREPLACE) {
                Err(rustix::io::Errno::EXIST) => {}
                result => return Ok(result?),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.messages)? {
            names.push(entry?.file_name());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.messages_directory.sync_all()
    }
}

impl Stored for fs::File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        postkiln_sys::fill_at(self, buffer, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The number of things of one name that `damaged/` takes; an operator looks there long before.
const NAMESAKES: u32 = 1000;

fn lock(path: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}
