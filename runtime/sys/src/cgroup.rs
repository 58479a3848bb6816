//! [`Group`]: a group of processes that share a limit of memory (cgroup v2, Documentation/admin-guide/cgroup-v2.rst).
//! The kernel counts what they really use, the kernel's own memory and the page cache on their behalf included.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// A group, which stays when its processes have ended.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    processes: File,
    refusals: u64,
}

impl Group {
    /// Has the kernel count memory in the groups below this one, which is where cgroup2 is mounted.
    ///
    /// # Errors
    /// When the kernel cannot.
    pub fn count_memory_below(root: &Path) -> io::Result<()> {
        fs::write(root.join("cgroup.subtree_control"), "+memory")
    }

    /// Makes the group, or takes the one that is there, and limits it to so many octets. Over its limit all its
    /// processes are killed together.
    ///
    /// # Errors
    /// When there is no such group, or memory is not counted in it.
    pub fn limited(root: &Path, name: &str, octets: u64) -> io::Result<Self> {
        let folder = root.join(name);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        fs::write(folder.join("memory.max"), octets.to_string())?;
        fs::write(folder.join("memory.oom.group"), "1")?;
        let processes = File::options().write(true).open(folder.join("cgroup.procs"))?;
        let refusals = refusals(&folder)?;
        Ok(Self { folder, processes, refusals })
    }

    /// Whether the group wanted more than its limit since this was last asked. A process that was killed because the
    /// whole machine had no more memory does not count.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn went_over(&mut self) -> io::Result<bool> {
        let refusals = refusals(&self.folder)?;
        Ok(std::mem::replace(&mut self.refusals, refusals) < refusals)
    }
}

impl AsFd for Group {
    /// A process that writes `0` to the descriptor becomes one of the group.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.processes.as_fd()
    }
}

/// How often a group was refused memory at its limit.
fn refusals(folder: &Path) -> io::Result<u64> {
    let events = fs::read_to_string(folder.join("memory.events"))?;
    let count = events.lines().find_map(|line| line.strip_prefix("oom ")?.parse().ok());
    count.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
