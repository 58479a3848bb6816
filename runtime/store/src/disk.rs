//! Changes of files all go through [`Disk`], so that tests can let each one fail and look at the remains.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

use postkiln_sys::sync;

/// Changes to a file system.
pub(crate) trait Disk: Send + Sync {
    /// Makes a directory with mode 0700.
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    /// Makes a new file of this name with mode 0600.
    fn create(&self, path: &Path) -> io::Result<File>;
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    /// Cuts a file to a length.
    fn cut(&self, file: &File, length: u64) -> io::Result<()>;
    fn set_time(&self, file: &File, time: SystemTime) -> io::Result<()>;
    fn sync(&self, file: &File) -> io::Result<()>;
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory with everything in it.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;
}

/// The file system itself.
pub(crate) struct Real;

impl Disk for Real {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)
    }
    fn create(&self, path: &Path) -> io::Result<File> {
        File::options().write(true).create_new(true).mode(0o600).open(path)
    }
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }
    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }
    fn set_time(&self, file: &File, time: SystemTime) -> io::Result<()> {
        file.set_modified(time)
    }
    fn sync(&self, file: &File) -> io::Result<()> {
        sync::file(file)
    }
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        sync::directory(path)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
}

/// Makes a directory and missing ones above it, each durable in its parent. An existing directory is fine.
pub(crate) fn make_directories(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match disk.make_directory(path) {
        Ok(()) => disk.sync_directory(parent),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directories(disk, parent)?;
            match disk.make_directory(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            disk.sync_directory(parent)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
pub(crate) mod failing {
    //! A disk on which the nth change fails, and every one after it: a process that died there.

    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    pub(crate) struct Failing {
        left: AtomicUsize,
        /// Whether only the nth change fails and later ones work: an error that is handled.
        once: bool,
        syncs: AtomicUsize,
    }

    impl Failing {
        /// A disk on which `steps` changes succeed, and none after them.
        pub(crate) fn dies_after(steps: usize) -> Self {
            Self { left: AtomicUsize::new(steps), once: false, syncs: AtomicUsize::new(0) }
        }

        /// A disk on which `steps` changes succeed, one fails, and all others succeed.
        pub(crate) fn fails_once_after(steps: usize) -> Self {
            Self { left: AtomicUsize::new(steps), once: true, syncs: AtomicUsize::new(0) }
        }

        /// Whether the failure was never reached.
        pub(crate) fn is_unharmed(&self) -> bool {
            self.left.load(Ordering::Relaxed) > 0 && self.left.load(Ordering::Relaxed) != usize::MAX
        }

        /// The number of sync calls so far.
        pub(crate) fn syncs(&self) -> usize {
            self.syncs.load(Ordering::Relaxed)
        }

        fn step<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
            match self.left.load(Ordering::Relaxed) {
                usize::MAX => act(),
                0 => {
                    if self.once {
                        self.left.store(usize::MAX, Ordering::Relaxed);
                    }
                    Err(io::Error::other("the disk failed here"))
                }
                left => {
                    self.left.store(left - 1, Ordering::Relaxed);
                    act()
                }
            }
        }
    }

    impl Disk for Failing {
        fn make_directory(&self, path: &Path) -> io::Result<()> {
            self.step(|| Real.make_directory(path))
        }
        fn create(&self, path: &Path) -> io::Result<File> {
            self.step(|| Real.create(path))
        }
        fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
            // A write that fails leaves half of its octets.
            let (half, _) = bytes.split_at(bytes.len() / 2);
            match self.step(|| Ok(())) {
                Ok(()) => Real.write(file, bytes),
                Err(error) => {
                    Real.write(file, half)?;
                    Err(error)
                }
            }
        }
        fn cut(&self, file: &File, length: u64) -> io::Result<()> {
            self.step(|| Real.cut(file, length))
        }
        fn set_time(&self, file: &File, time: SystemTime) -> io::Result<()> {
            self.step(|| Real.set_time(file, time))
        }
        fn sync(&self, file: &File) -> io::Result<()> {
            self.syncs.fetch_add(1, Ordering::Relaxed);
            self.step(|| Real.sync(file))
        }
        fn sync_directory(&self, path: &Path) -> io::Result<()> {
            self.syncs.fetch_add(1, Ordering::Relaxed);
            self.step(|| Real.sync_directory(path))
        }
        fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.step(|| Real.link(from, to))
        }
        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.step(|| Real.rename(from, to))
        }
        fn remove(&self, path: &Path) -> io::Result<()> {
            self.step(|| Real.remove(path))
        }
        fn remove_tree(&self, path: &Path) -> io::Result<()> {
            self.step(|| Real.remove_tree(path))
        }
    }
}
