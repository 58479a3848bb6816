//! Starting a program with exactly the descriptors, user and environment it is to have.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cgroup::Group;
use crate::filter;
use crate::inherited::{DATA, DESCRIPTORS};
use crate::process::Process;
use rustix::process::{Resource, Rlimit};
pub use rustix::thread::CapabilitySet;
use seccompiler::BpfProgram;

/// A program about to be started. Its environment holds only what is set here. Standard input is `/dev/null`; standard
/// output and error are both the caller's standard error, the log, since standard output belongs to the caller alone.
/// Every descriptor that is not handed over is closed.
#[derive(Debug)]
pub struct Spawn {
    command: Command,
    handed: Vec<(String, OwnedFd)>,
    user: Option<u32>,
    capabilities: CapabilitySet,
    memory: Option<u64>,
    group: Option<OwnedFd>,
    filter: Option<BpfProgram>,
}

impl Spawn {
    /// Prepares to start the program at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let mut command = Command::new(path);
        command.env_clear().stdin(Stdio::null());
        Self {
            command,
            handed: Vec::new(),
            user: None,
            capabilities: CapabilitySet::empty(),
            memory: None,
            group: None,
            filter: None,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Sets one variable of the environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the data directory, for [`crate::Inherited`].
    #[must_use]
    pub fn data(self, data: &Path) -> Self {
        self.variable(DATA, data)
    }

    /// Runs the program as this user and the group of the same number, with no other group. Without this it runs as the
    /// caller.
    #[must_use]
    pub const fn user(mut self, id: u32) -> Self {
        self.user = Some(id);
        self
    }

    /// Lets the program keep these powers of root as another user ([`Self::user`] must be set too).
    #[must_use]
    pub const fn capabilities(mut self, kept: CapabilitySet) -> Self {
        self.capabilities = kept;
        self
    }

    /// Lets the program have this many octets of memory of its own, stacks of threads
    /// included (`RLIMIT_DATA`, getrlimit(2)).
    #[must_use]
    pub const fn memory(mut self, octets: u64) -> Self {
        self.memory = Some(octets);
        self
    }

    /// Puts the program into a group before it starts.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub fn within(mut self, group: &Group) -> io::Result<Self> {
        self.group = Some(rustix::io::fcntl_dupfd_cloexec(group, 3)?);
        Ok(self)
    }

    /// Refuses the program the system calls that no server needs ([`crate::filter`]): for programs of others.
    ///
    /// # Errors
    /// When there are no filters for this architecture.
    pub fn refused_unusual_calls(mut self) -> io::Result<Self> {
        self.filter = Some(filter::for_others()?);
        Ok(self)
    }

    /// Hands over a copy of a descriptor under a name that [`crate::Inherited`] gives it back by.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub fn hand(mut self, name: &str, descriptor: BorrowedFd<'_>) -> io::Result<Self> {
        self.handed.push((name.to_owned(), rustix::io::fcntl_dupfd_cloexec(descriptor, 3)?));
        Ok(self)
    }

    /// Starts the program in a session of its own, so that a terminal's interrupt reaches `init` alone. The program
    /// gets SIGTERM when its parent dies.
    ///
    /// # Errors
    /// When the program cannot be started, or does not exist.
    pub fn start(mut self) -> io::Result<Process> {
        let mut names = String::new();
        let mut numbers = Vec::new();
        for (name, descriptor) in &self.handed {
            // Writing to a String cannot fail.
            let _ = write!(names, "{}{name}={}", if names.is_empty() { "" } else { " " }, descriptor.as_raw_fd());
            numbers.push(descriptor.as_raw_fd());
        }
        if !numbers.is_empty() {
            self.command.env(DESCRIPTORS, OsString::from(names));
        }
        let mut keep = None;
        if let Some(id) = self.user {
            if self.capabilities.is_empty() {
                // With root's rights `uid` also clears the supplementary groups.
                self.command.uid(id).gid(id);
            } else {
                keep = Some((id, self.capabilities));
            }
        }
        self.command.stdout(std::io::stderr().as_fd().try_clone_to_owned()?);
        let walls = Walls { memory: self.memory, group: self.group, filter: self.filter };
        before_exec(&mut self.command, numbers, keep, walls);
        let child = self.command.spawn()?;
        Process::adopt(child.id())
    }
}

/// The limits that a child puts on itself before it becomes the program.
struct Walls {
    memory: Option<u64>,
    group: Option<OwnedFd>,
    filter: Option<BpfProgram>,
}

impl Walls {
    /// System calls only, as they are made between fork and exec.
    fn put_up(&self) -> io::Result<()> {
        if let Some(group) = &self.group {
            rustix::io::write(group, b"0")?;
        }
        if let Some(octets) = self.memory {
            let limit = Rlimit { current: Some(octets), maximum: Some(octets) };
            rustix::process::setrlimit(Resource::Data, limit)?;
        }
        self.filter.as_ref().map_or(Ok(()), filter::install)
    }
}

/// The steps of the child between fork and exec.
#[allow(unsafe_code, reason = "code between fork and exec")]
fn before_exec(command: &mut Command, numbers: Vec<RawFd>, keep: Option<(u32, CapabilitySet)>, walls: Walls) {
    // SAFETY: the closure makes system calls only, allocates nothing, and the numbers stay open in the child because
    // their owners live in `Spawn` until after the fork.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            if let Some((id, kept)) = keep {
                become_user_keeping(id, kept)?;
            }
            // This comes after the change of user, which would clear it.
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
            rustix::thread::set_no_new_privs(true)?;
            // No other open descriptor gets through, whether this program or its parent opened it.
            if libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) != 0 {
                return Err(io::Error::last_os_error());
            }
            for number in &numbers {
                rustix::io::fcntl_setfd(BorrowedFd::borrow_raw(*number), rustix::io::FdFlags::empty())?;
            }
            walls.put_up()
        });
    }
}

/// Changes to a user with some powers of root that survive exec (capabilities(7), ambient set). System calls only.
fn become_user_keeping(id: u32, kept: CapabilitySet) -> io::Result<()> {
    use rustix::thread;
    let (user, group) = (rustix::fs::Uid::from_raw(id), rustix::fs::Gid::from_raw(id));
    thread::set_keep_capabilities(true)?;
    thread::set_thread_groups(&[])?;
    thread::set_thread_res_gid(group, group, group)?;
    thread::set_thread_res_uid(user, user, user)?;
    thread::set_capabilities(None, thread::CapabilitySets { effective: kept, permitted: kept, inheritable: kept })?;
    for capability in kept.iter() {
        thread::configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Exit;
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{Pid, WaitOptions, waitpid};
    use std::io::Read;

    /// Runs a shell line with one handed descriptor and compares the text it wrote there.
    fn check(line: &str, expected: &str) {
        let (reader, writer) = std::io::pipe().unwrap();
        let stray = std::fs::File::open("/dev/null").unwrap();
        rustix::io::fcntl_setfd(&stray, rustix::io::FdFlags::empty()).unwrap();
        let process = Spawn::new(Path::new("/bin/sh"))
            .argument("-c")
            .argument(line)
            .variable("STRAY", stray.as_raw_fd().to_string())
            .hand("out", writer.as_fd())
            .unwrap()
            .start()
            .unwrap();
        drop(writer);
        let mut said = String::new();
        (&reader).read_to_string(&mut said).unwrap();
        assert_eq!(said.trim(), expected);
        poll(&mut [PollFd::new(&process, PollFlags::IN)], None).unwrap();
        // The child is reaped by its number, because other tests of this process have children too.
        let pid = Pid::from_raw(process.pid().cast_signed()).unwrap();
        let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
        assert_eq!(status.exit_status().map(Exit::Code), Some(Exit::Code(0)));
    }

    #[test]
    fn a_child_has_what_it_was_handed_and_nothing_else() {
        check("eval exec 1\\>\\&${POSTKILN_DESCRIPTORS#out=}; echo here", "here");
        check("eval exec 1\\>\\&${POSTKILN_DESCRIPTORS#out=}; test -e /proc/self/fd/$STRAY || echo closed", "closed");
    }

    #[test]
    fn a_program_of_others_cannot_leave_for_another_root() {
        // Root may otherwise, and anybody gets EPERM; the shell's own status tells whether the rest works.
        let status = |refused: bool| {
            let spawn = Spawn::new(Path::new("/bin/sh")).argument("-c").argument("exec unshare --mount true 2>&-");
            let spawn = spawn.variable("PATH", "/usr/bin:/bin");
            let process = if refused { spawn.refused_unusual_calls().unwrap() } else { spawn }.start().unwrap();
            poll(&mut [PollFd::new(&process, PollFlags::IN)], None).unwrap();
            let pid = Pid::from_raw(process.pid().cast_signed()).unwrap();
            waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap().1.exit_status()
        };
        if rustix::process::geteuid().is_root() {
            assert_eq!(status(false), Some(0));
        }
        assert_eq!(status(true), Some(1));
    }

    #[test]
    fn a_program_gets_no_more_memory_than_its_limit() {
        let status = |mebibytes: u64| {
            // 32 MiB in one variable of the shell.
            let line = "fill=$(head -c 32M /dev/zero | tr '\\0' x); test ${#fill} -eq 33554432";
            let spawn = Spawn::new(Path::new("/bin/sh")).argument("-c").argument(line);
            let process = spawn.variable("PATH", "/usr/bin:/bin").memory(mebibytes << 20).start().unwrap();
            poll(&mut [PollFd::new(&process, PollFlags::IN)], None).unwrap();
            let pid = Pid::from_raw(process.pid().cast_signed()).unwrap();
            waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap().1.exit_status()
        };
        assert_eq!(status(1024), Some(0));
        assert_ne!(status(16), Some(0));
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert!(Spawn::new(Path::new("/nonexistent/program")).start().is_err());
    }
}
