//! The active bundle as a role sees it: a directory descriptor. Paths never leave it: no `..`, no symbolic links.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// A bundle's directory.
#[derive(Debug)]
pub struct BundleDirectory(OwnedFd);

impl BundleDirectory {
    /// The largest file [`Self::read`] gives: seeds of 100,000 users are a third of it.
    pub const READ_LIMIT: u64 = 256 << 20;

    /// Takes a directory descriptor.
    #[must_use]
    pub const fn new(directory: OwnedFd) -> Self {
        Self(directory)
    }

    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// When the path cannot be opened or is no directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?))
    }

    /// A second descriptor for the same directory, for configuration that keeps reading from it.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Opens a file; `None` when there is none.
    ///
    /// # Errors
    /// When the file exists and cannot be opened, or the path leads out.
    pub fn open_file(&self, path: &str) -> io::Result<Option<File>> {
        match self.beneath(path, OFlags::RDONLY | OFlags::CLOEXEC) {
            Ok(descriptor) => Ok(Some(File::from(descriptor))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A file's content; `None` when there is no such file.
    ///
    /// # Errors
    /// When the file exists and cannot be read, is over [`Self::READ_LIMIT`], or the path leads out.
    pub fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.open_file(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(Self::READ_LIMIT + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > Self::READ_LIMIT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Some(bytes))
    }

    /// The names of the plain files in a folder, sorted; empty when there is no such folder.
    ///
    /// # Errors
    /// When the folder exists and cannot be read, or the path leads out.
    pub fn files_in(&self, path: &str) -> io::Result<Vec<String>> {
        self.names(path, FileType::RegularFile)
    }

    /// The names of the folders in a folder, sorted; empty when there is no such folder.
    ///
    /// # Errors
    /// When the folder exists and cannot be read, or the path leads out.
    pub fn folders_in(&self, path: &str) -> io::Result<Vec<String>> {
        self.names(path, FileType::Directory)
    }

    fn names(&self, path: &str, wanted: FileType) -> io::Result<Vec<String>> {
        let folder = match self.beneath(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if entry.file_type() == wanted && !matches!(name, "." | "..") {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn beneath(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        openat2(&self.0, path, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
    }
}

impl AsFd for BundleDirectory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_are_read_and_nothing_outside_is() {
        let top = tempfile::tempdir().unwrap();
        let inside = top.path().join("bundle");
        fs::create_dir_all(inside.join("control")).unwrap();
        fs::write(inside.join("control/me"), "mail\n").unwrap();
        fs::write(top.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink("../secret", inside.join("link")).unwrap();
        let bundle = BundleDirectory::open(&inside).unwrap();
        assert_eq!(bundle.read("control/me").unwrap().as_deref(), Some(&b"mail\n"[..]));
        assert_eq!(bundle.read("control/you").unwrap(), None);
        assert_eq!(bundle.read("nothing/here").unwrap(), None);
        assert!(bundle.read("../secret").is_err());
        assert!(bundle.read("link").is_err());
        assert!(bundle.read("/etc/hostname").is_err());
        assert_eq!(bundle.files_in("control").unwrap(), ["me"]);
        assert_eq!(bundle.folders_in(".").unwrap(), ["control"]);
    }
}
