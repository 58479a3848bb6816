//! [`Taken`]: a running process in the hands of somebody who found a hole in it. System calls of the attacker's choice
//! are made by the process itself, with its user, its confinement and its descriptors, as code would that was smuggled
//! into it; ptrace(2) smuggles the registers. Knows nothing about what a process may do.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use crate::eventually;
use libc::user_regs_struct;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, waitpid};

/// A stopped process whose main thread makes the calls it is told to; it goes on where it was when this is dropped.
#[derive(Debug)]
pub struct Taken {
    process: i32,
    memory: File,
    before: user_regs_struct,
    /// The address of a system call instruction of the process.
    gate: u64,
    /// The first address of stack that nobody uses.
    room: u64,
    dead: bool,
}

/// The end of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call succeeded and gave this.
    Gave(i64),
    /// The call failed with this error number.
    Failed(i32),
    /// The call cost the process its life.
    Killed(i32),
}

impl Outcome {
    /// Whether the process was not allowed to do this, and lives.
    #[must_use]
    pub const fn is_refused(self) -> bool {
        matches!(self, Self::Failed(libc::EACCES | libc::EPERM))
    }
}

impl Taken {
    /// Takes over a process that waits in a system call, as servers do.
    ///
    /// # Panics
    /// When the process is gone, never waits, or may not be traced by this process.
    #[must_use]
    pub fn over(pid: i32) -> Self {
        let memory = File::options().read(true).write(true).open(format!("/proc/{pid}/mem")).expect("its memory");
        let (before, gate) = eventually("the process waits in a system call", PATIENCE, || {
            trace(libc::PTRACE_ATTACH, pid, 0).expect("the process can be traced");
            assert!(waited(pid).stopped(), "the process stops");
            let before = registers(pid).expect("a stopped process has registers");
            let gate = before.rip - SYSCALL.len() as u64;
            let mut instruction = [0; SYSCALL.len()];
            memory.read_exact_at(&mut instruction, gate).expect("its code");
            if instruction == SYSCALL {
                return Some((before, gate));
            }
            trace(libc::PTRACE_DETACH, pid, 0).expect("a stopped process goes on");
            None
        });
        // Far enough below the stack that functions without a frame use (x86-64 psABI §3.2.2).
        let room = before.rsp - ROOM as u64;
        Self { process: pid, memory, before, gate, room, dead: false }
    }

    /// Makes a system call and gives its end.
    ///
    /// # Panics
    /// When the process does something else than the call.
    pub fn call(&mut self, number: libc::c_long, arguments: &[u64]) -> Outcome {
        let argument = |at: usize| arguments.get(at).copied().unwrap_or_default();
        let registers = user_regs_struct {
            rip: self.gate,
            rax: number.cast_unsigned(),
            // No call is under way that the kernel should begin again.
            orig_rax: u64::MAX,
            rdi: argument(0),
            rsi: argument(1),
            rdx: argument(2),
            r10: argument(3),
            r8: argument(4),
            r9: argument(5),
            ..self.before
        };
        set_registers(self.process, &registers).expect("a stopped process takes registers");
        trace(libc::PTRACE_SINGLESTEP, self.process, 0).expect("a stopped process goes on");
        loop {
            let status = waited(self.process);
            if let Some(signal) = status.terminating_signal() {
                self.dead = true;
                return Outcome::Killed(signal);
            }
            let signal = status.stopping_signal().expect("the process does nothing but the call");
            if signal == Signal::TRAP.as_raw() {
                break;
            }
            // Another signal came in between; the process gets it.
            trace(libc::PTRACE_SINGLESTEP, self.process, signal).expect("a stopped process goes on");
        }
        let gave = self::registers(self.process).expect("a stopped process has registers").rax.cast_signed();
        // Error numbers are the last 4095 values.
        match i32::try_from(-gave) {
            Ok(error @ 1..4096) => Outcome::Failed(error),
            _ => Outcome::Gave(gave),
        }
    }

    /// Puts a text with its end mark into the process and gives the address.
    ///
    /// # Panics
    /// When it is too long.
    pub fn text(&mut self, text: &Path) -> u64 {
        let mut octets = text.as_os_str().as_encoded_bytes().to_vec();
        octets.push(0);
        self.octets(&octets)
    }

    /// Puts octets into the process and gives their address; those of before are overwritten.
    ///
    /// # Panics
    /// When there are too many.
    pub fn octets(&mut self, octets: &[u8]) -> u64 {
        assert!(octets.len() < ROOM / 2);
        self.memory.write_all_at(octets, self.room).expect("its stack");
        self.room
    }

    /// Opens a file by its path, as openat(2) does.
    pub fn open(&mut self, path: &Path, flags: i32) -> Outcome {
        let path = self.text(path);
        let here = i64::from(libc::AT_FDCWD).cast_unsigned();
        let opened = self.call(libc::SYS_openat, &[here, path, u64::from(flags.cast_unsigned()), 0o600]);
        if let Outcome::Gave(descriptor) = opened {
            self.call(libc::SYS_close, &[descriptor.cast_unsigned()]);
        }
        opened
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.dead {
            // A process that was killed meanwhile needs no registers.
            let _ = set_registers(self.process, &self.before);
            let _ = trace(libc::PTRACE_DETACH, self.process, 0);
        }
    }
}

fn waited(pid: i32) -> WaitStatus {
    let pid = Pid::from_raw(pid).expect("a process");
    waitpid(Some(pid), WaitOptions::empty()).expect("the process is traced").expect("waited without a limit").1
}

/// A request of ptrace(2) that takes nothing but a signal.
#[allow(unsafe_code, reason = "ptrace has no safe wrapper among our crates")]
fn trace(request: libc::c_uint, pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: none of these requests reads or writes memory of this process.
    let result = unsafe { libc::ptrace(request, pid, 0_usize, i64::from(signal)) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[allow(unsafe_code, reason = "ptrace has no safe wrapper among our crates")]
fn registers(pid: i32) -> io::Result<user_regs_struct> {
    let mut registers = MaybeUninit::<user_regs_struct>::uninit();
    // SAFETY: the kernel writes one whole structure of this type, or fails.
    unsafe {
        if libc::ptrace(libc::PTRACE_GETREGS, pid, 0_usize, registers.as_mut_ptr()) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(registers.assume_init())
    }
}

#[allow(unsafe_code, reason = "ptrace has no safe wrapper among our crates")]
fn set_registers(pid: i32, registers: &user_regs_struct) -> io::Result<()> {
    // SAFETY: the kernel reads one whole structure of this type, and changes the other process alone.
    let result = unsafe { libc::ptrace(libc::PTRACE_SETREGS, pid, 0_usize, std::ptr::from_ref(registers)) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The longest time in which a server comes to rest.
const PATIENCE: Duration = Duration::from_secs(20);
/// The instruction `syscall`.
const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// Octets between the stack in use and ours.
const ROOM: usize = 16 << 10;
