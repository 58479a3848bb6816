//! [`Board`]: the state of the node, for `controld` and for people. Its form is that of `schemas/operation`.
//!
//! The state stands in memory that `init` shares with the role that answers operators: a full disk, which they ask
//! about, cannot make it old. `run/status.json` is a copy.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use postkiln_log::Event;
use postkiln_operation::paths;
use postkiln_operation::status::Status;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::clock;

/// Where the state is written.
#[derive(Debug)]
pub(crate) struct Board(File);

impl Board {
    /// An empty board.
    ///
    /// # Errors
    /// When memory or descriptors have run out.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(File::from(memfd_create("status", MemfdFlags::CLOEXEC)?)))
    }

    /// The board that was handed to a role.
    pub(crate) fn handed(descriptor: std::os::fd::OwnedFd) -> Self {
        Self(File::from(descriptor))
    }

    /// Replaces the state, and the file below the data directory in one step. The file is not made durable: the next
    /// start writes its own. One that cannot be written is removed, since it would tell what was.
    pub(crate) fn write(&self, status: &Status, data: &Path) {
        let mut text = serde_json::to_vec_pretty(status).unwrap_or_default();
        text.push(b'\n');
        let file = data.join(paths::STATUS);
        let written = self.replace(&text).and_then(|()| postkiln_sys::sync::replace_volatile(&file, &text, 0o644));
        if let Err(error) = written {
            postkiln_log::warn(Event::StatusNotWritten, &[("problem", &error)]);
            // Removing fails too on a disk that takes nothing at all.
            let _ = fs::remove_file(&file);
        }
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        self.0.write_all_at(text, 0)?;
        self.0.set_len(text.len() as u64)
    }

    /// The state as text. `init` may write meanwhile: a text counts when it is read twice.
    ///
    /// # Errors
    /// When it cannot be read, or changes all the time.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let mut before = self.read_once()?;
        for _ in 0..ATTEMPTS {
            let text = self.read_once()?;
            if text == before {
                return Ok(text);
            }
            before = text;
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn read_once(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.0.metadata()?.len()).unwrap_or_default();
        let mut text = vec![0; length];
        let read = self.0.read_at(&mut text, 0)?;
        text.truncate(read);
        Ok(text)
    }
}

impl AsFd for Board {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Unix seconds now.
pub(crate) fn now() -> i64 {
    clock::signed(SystemTime::now())
}

/// How often a text that changes is read.
const ATTEMPTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_takes_nothing_leaves_no_old_state() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("run")).unwrap();
        let board = Board::new().unwrap();
        let handed = Board::handed(board.as_fd().try_clone_to_owned().unwrap());
        let mut status = Status { ready: true, hostname: "a-long-name.example.org".to_owned(), ..Status::default() };
        board.write(&status, data.path());
        let read = |text: &[u8]| serde_json::from_slice::<Status>(text).unwrap();
        assert_eq!(read(&handed.read().unwrap()), status);
        assert_eq!(read(&fs::read(data.path().join(paths::STATUS)).unwrap()), status);
        // The place of the file that is written first.
        fs::create_dir(data.path().join(format!("{}.new", paths::STATUS))).unwrap();
        status = Status { hostname: "short".to_owned(), ..Status::default() };
        board.write(&status, data.path());
        assert_eq!(read(&handed.read().unwrap()), status);
        assert!(!data.path().join(paths::STATUS).exists());
    }
}
