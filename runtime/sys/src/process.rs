//! Child processes: learning of their end, and ending them by a descriptor that cannot hit another process.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitOptions, WaitStatus, pidfd_open, pidfd_send_signal, wait};

use crate::allocator::OUT_OF_MEMORY;
use crate::signals::Signal;

/// A child process that has not been reaped yet.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    pidfd: OwnedFd,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The process exited with this status.
    Code(i32),
    /// A signal of this number ended the process.
    Killed(i32),
}

impl Process {
    pub(crate) fn adopt(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { pid, pidfd: pidfd_open(pid, PidfdFlags::empty())? })
    }

    /// The process id, for people.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal. The signal to a process that has already ended is no error.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.pidfd, signal.into()) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Process {
    /// The descriptor is readable when the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Exit {
    /// Whether the process ended because it made a system call that it must not make.
    #[must_use]
    pub fn is_forbidden_call(self) -> bool {
        self == Self::Killed(rustix::process::Signal::SYS.as_raw())
    }

    /// Whether the process was killed, by the kernel or by somebody who may.
    #[must_use]
    pub fn is_kill(self) -> bool {
        self == Self::Killed(rustix::process::Signal::KILL.as_raw())
    }

    /// Whether the process ended because it got no more memory ([`crate::Allocator`]).
    #[must_use]
    pub fn is_out_of_memory(self) -> bool {
        self == Self::Code(OUT_OF_MEMORY)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Killed(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// Reaps every child that has ended, and for PID 1 adopted orphans too. Gives the process id and the exit of each.
#[must_use]
pub fn reap() -> Vec<(u32, Exit)> {
    let mut ended = Vec::new();
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        ended.push((pid.as_raw_nonzero().get().unsigned_abs(), exit(status)));
    }
    ended
}

fn exit(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Killed(signal),
        (None, None) => Exit::Code(0),
    }
}
