//! Signals as a descriptor to poll (signalfd(2)), so that `init` needs no handlers.

use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// The signals `init` sends and hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: read the next bundle.
    Hangup,
    /// SIGINT, from a terminal: stop.
    Interrupt,
    /// SIGTERM: stop; on the machine it comes from the power button's helper, `poweroff`.
    Terminate,
    /// SIGKILL: stop at once.
    Kill,
    /// SIGCHLD: a child has ended.
    Child,
    /// SIGUSR1, on the machine: stop and switch off.
    User1,
    /// SIGUSR2, on the machine: stop and start again.
    User2,
}

impl Signal {
    const fn number(self) -> libc::c_int {
        match self {
            Self::Hangup => libc::SIGHUP,
            Self::Interrupt => libc::SIGINT,
            Self::Terminate => libc::SIGTERM,
            Self::Kill => libc::SIGKILL,
            Self::Child => libc::SIGCHLD,
            Self::User1 => libc::SIGUSR1,
            Self::User2 => libc::SIGUSR2,
        }
    }

    fn from_number(number: u32) -> Option<Self> {
        const ALL: [Signal; 7] = [
            Signal::Hangup,
            Signal::Interrupt,
            Signal::Terminate,
            Signal::Kill,
            Signal::Child,
            Signal::User1,
            Signal::User2,
        ];
        ALL.into_iter().find(|signal| u32::try_from(signal.number()) == Ok(number))
    }
}

impl From<Signal> for rustix::process::Signal {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Hangup => Self::HUP,
            Signal::Interrupt => Self::INT,
            Signal::Terminate => Self::TERM,
            Signal::Kill => Self::KILL,
            Signal::Child => Self::CHILD,
            Signal::User1 => Self::USR1,
            Signal::User2 => Self::USR2,
        }
    }
}

/// Blocks some signals and gives them when asked.
#[derive(Debug)]
pub struct Signals(std::fs::File);

impl Signals {
    /// Blocks `wanted` in this thread, which must be the only one, and watches for them. Children start with an empty
    /// mask all the same ([`std::process::Command`] sees to it).
    ///
    /// # Errors
    /// When the kernel refuses.
    #[allow(unsafe_code, reason = "signalfd has no safe wrapper here")]
    pub fn watch(wanted: &[Signal]) -> io::Result<Self> {
        let mut set = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` initialises the set it is given; the other calls get that set and valid numbers.
        let descriptor = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in wanted {
                libc::sigaddset(set.as_mut_ptr(), signal.number());
            }
            if libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above made this descriptor and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(descriptor) }.into()))
    }

    /// The next signal that has come; `None` when there is none.
    pub fn take(&mut self) -> Option<Signal> {
        let mut record = [0; size_of::<libc::signalfd_siginfo>()];
        self.0.read_exact(&mut record).ok()?;
        // signalfd_siginfo begins with ssi_signo, a u32 (signalfd(2)).
        let number = u32::from_ne_bytes(*record.first_chunk()?);
        Signal::from_number(number)
    }
}

impl AsFd for Signals {
    /// The descriptor is readable when a signal has come.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
