//! The system calls of each class, and the walls of a role put up in their order: files first (Landlock), calls last
//! (seccomp). The tables hold what was seen to be called in the tests and what the C library may call in the same
//! places; paths are Landlock's business. Knows no role. Start at [`put_up`].

use std::os::fd::AsFd;
use std::path::Path;

use libc::c_long;
use postkiln_bundle::{Calls, Service};
use postkiln_log::Event;
use postkiln_sys::filter::{self, Call, When};
use postkiln_sys::{BundleDirectory, Reach};

use crate::error::{During, NodeError};
use crate::parts;

/// Keeps what a role's line of the service table gives it: its parts of bundles, its directories, the calls
/// of its classes.
///
/// # Errors
/// When the kernel refuses; the role must not go on.
pub(crate) fn put_up(service: &Service, bundle: &BundleDirectory, data: &Path) -> Result<(), NodeError> {
    let paths = |writable| {
        let chosen = service.directories.iter().filter(move |directory| directory.writable == writable);
        chosen.map(|directory| data.join(&directory.path)).collect::<Vec<_>>()
    };
    let (mut read, write) = (paths(false), paths(true));
    // The part of a bundle that comes later is opened below its descriptor, and Landlock judges that by its path.
    read.push(parts::of(data, service.role));
    let reach = Reach { read: &read, write: &write, internet: service.calls.contains(&Calls::Internet) };
    let confined = postkiln_sys::confine(bundle.as_fd(), &reach).during(|| "giving up powers".to_owned())?;
    if !confined {
        postkiln_log::warn(Event::Unconfined, &[("problem", &"this kernel has no Landlock")]);
    }
    let calls = service.calls.iter().flat_map(|class| of(*class));
    filter::permit(BASE.iter().chain(calls)).during(|| "giving up system calls".to_owned())
}

const fn of(class: Calls) -> &'static [Call] {
    match class {
        Calls::Accept => ACCEPT,
        Calls::Files => FILES,
        Calls::LocalSockets => LOCAL_SOCKETS,
        Calls::Internet => INTERNET,
        Calls::Interfaces => INTERFACES,
    }
}

/// Calls that every role makes: memory that is never code, threads that are never processes, files for reading, sockets
/// it was given or has made in a pair.
const BASE: &[Call] = &[
    // Every role reads, writes and closes the descriptors that it was given.
    Call::any(libc::SYS_read),
    Call::any(libc::SYS_write),
    Call::any(libc::SYS_readv),
    Call::any(libc::SYS_writev),
    Call::any(libc::SYS_pread64),
    Call::any(libc::SYS_lseek),
    Call::any(libc::SYS_close),
    Call::any(libc::SYS_dup),
    Call::any(libc::SYS_fcntl),
    Call::only(libc::SYS_ioctl, &[When::Is(1, ALL, FIONBIO)]),
    Call::any(libc::SYS_fstat),
    Call::any(libc::SYS_newfstatat),
    Call::any(libc::SYS_statx),
    Call::any(libc::SYS_getdents64),
    Call::only(libc::SYS_openat, &[When::Is(2, WRITING, 0)]),
    // Files of the bundle, which are opened for reading; Landlock keeps them so.
    Call::any(libc::SYS_openat2),
    // The runtime waits for sockets, timers and its own threads.
    Call::any(libc::SYS_epoll_create1),
    Call::any(libc::SYS_epoll_ctl),
    Call::any(libc::SYS_epoll_pwait),
    Call::any(libc::SYS_epoll_pwait2),
    Call::any(libc::SYS_eventfd2),
    Call::any(libc::SYS_ppoll),
    Call::any(libc::SYS_futex),
    Call::any(libc::SYS_nanosleep),
    Call::any(libc::SYS_clock_nanosleep),
    Call::any(libc::SYS_clock_gettime),
    Call::any(libc::SYS_restart_syscall),
    Call::any(libc::SYS_sched_yield),
    // Roles speak with each other over socket pairs, which carry descriptors too.
    Call::only(libc::SYS_socketpair, &[When::Is(0, ALL, libc::AF_UNIX.cast_unsigned())]),
    Call::any(libc::SYS_sendto),
    Call::any(libc::SYS_sendmsg),
    Call::any(libc::SYS_recvfrom),
    Call::any(libc::SYS_recvmsg),
    Call::any(libc::SYS_shutdown),
    Call::any(libc::SYS_getsockopt),
    Call::any(libc::SYS_setsockopt),
    Call::any(libc::SYS_getsockname),
    Call::any(libc::SYS_getpeername),
    // Memory is taken and given back, and none of it can hold code.
    Call::only(libc::SYS_mmap, NO_CODE),
    Call::only(libc::SYS_mprotect, NO_CODE),
    Call::any(libc::SYS_munmap),
    Call::any(libc::SYS_mremap),
    Call::any(libc::SYS_madvise),
    Call::any(libc::SYS_brk),
    // Threads, and the end of them.
    Call::only(libc::SYS_clone, &[When::Is(0, THREAD, THREAD)]),
    Call::any(libc::SYS_set_robust_list),
    Call::any(libc::SYS_rseq),
    Call::any(libc::SYS_sched_getaffinity),
    Call::any(libc::SYS_sigaltstack),
    Call::any(libc::SYS_rt_sigaction),
    Call::any(libc::SYS_rt_sigprocmask),
    Call::any(libc::SYS_rt_sigreturn),
    Call::any(libc::SYS_gettid),
    Call::any(libc::SYS_getpid),
    Call::only(libc::SYS_tgkill, &[When::IsSelf(0)]),
    Call::any(libc::SYS_exit),
    Call::any(libc::SYS_exit_group),
    // Questions of the C library and the allocator to the kernel.
    Call::any(libc::SYS_getrandom),
    Call::only(libc::SYS_prlimit64, &[When::IsNull(2)]),
    Call::only(libc::SYS_prctl, &[When::Is(0, ALL, libc::PR_SET_NAME.cast_unsigned())]),
    Call::only(libc::SYS_prctl, &[When::Is(0, ALL, libc::PR_SET_VMA.cast_unsigned())]),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_epoll_wait),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_poll),
];

/// Clients are taken from a listener.
const ACCEPT: &[Call] = &[Call::any(libc::SYS_accept4), Call::any(libc::SYS_accept)];

/// Files are made, written, locked, moved and removed, and a database of files is kept.
const FILES: &[Call] = &[
    Call::any(libc::SYS_openat),
    Call::any(libc::SYS_pwrite64),
    Call::any(libc::SYS_pwritev),
    Call::any(libc::SYS_ftruncate),
    Call::any(libc::SYS_fallocate),
    Call::any(libc::SYS_copy_file_range),
    Call::any(libc::SYS_sendfile),
    Call::any(libc::SYS_splice),
    Call::any(libc::SYS_fsync),
    Call::any(libc::SYS_fdatasync),
    Call::any(libc::SYS_flock),
    Call::any(libc::SYS_mkdirat),
    Call::any(libc::SYS_renameat),
    Call::any(libc::SYS_renameat2),
    Call::any(libc::SYS_linkat),
    Call::any(libc::SYS_unlinkat),
    Call::any(libc::SYS_readlinkat),
    Call::any(libc::SYS_faccessat),
    Call::any(libc::SYS_faccessat2),
    Call::any(libc::SYS_fchmod),
    Call::any(libc::SYS_fchmodat),
    Call::any(libc::SYS_fchown),
    Call::any(libc::SYS_utimensat),
    Call::any(libc::SYS_statfs),
    Call::any(libc::SYS_fstatfs),
    Call::any(libc::SYS_getcwd),
    Call::any(libc::SYS_geteuid),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_mkdir),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_rmdir),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_rename),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_link),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_unlink),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_readlink),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_access),
    #[cfg(target_arch = "x86_64")]
    Call::any(libc::SYS_chmod),
];

/// A socket of this machine that lies in a directory is called.
const LOCAL_SOCKETS: &[Call] =
    &[socket(&[When::Is(0, ALL, libc::AF_UNIX.cast_unsigned())]), Call::any(libc::SYS_connect)];

/// Other hosts are called, by TCP and UDP.
const INTERNET: &[Call] = &[
    socket(&[When::Is(0, ALL, libc::AF_INET.cast_unsigned()), When::Is(1, KIND, libc::SOCK_STREAM.cast_unsigned())]),
    socket(&[When::Is(0, ALL, libc::AF_INET.cast_unsigned()), When::Is(1, KIND, libc::SOCK_DGRAM.cast_unsigned())]),
    socket(&[When::Is(0, ALL, libc::AF_INET6.cast_unsigned()), When::Is(1, KIND, libc::SOCK_STREAM.cast_unsigned())]),
    socket(&[When::Is(0, ALL, libc::AF_INET6.cast_unsigned()), When::Is(1, KIND, libc::SOCK_DGRAM.cast_unsigned())]),
    Call::any(libc::SYS_connect),
    Call::any(libc::SYS_bind),
];

/// The machine's interfaces are given addresses, and a DHCP server is asked for them.
const INTERFACES: &[Call] = &[
    socket(&[When::Is(0, ALL, libc::AF_NETLINK.cast_unsigned())]),
    socket(&[When::Is(0, ALL, libc::AF_INET.cast_unsigned()), When::Is(1, KIND, libc::SOCK_DGRAM.cast_unsigned())]),
    Call::any(libc::SYS_bind),
    Call::only(libc::SYS_prctl, &[When::Is(0, ALL, libc::PR_CAP_AMBIENT.cast_unsigned())]),
];

const fn socket(when: &'static [When]) -> Call {
    Call::only(libc::SYS_socket as c_long, when)
}

/// Every bit of an argument.
const ALL: u32 = u32::MAX;
/// The kind of a socket, without its flags (socket(2)).
const KIND: u32 = 0xf;
/// Open for writing, or with an effect on the file.
const WRITING: u32 = (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND).cast_unsigned();
/// A new thread, not a process.
const THREAD: u32 = libc::CLONE_THREAD.cast_unsigned();
/// Reading and writing do not wait (ioctl_fionbio(2)). Its type differs between C libraries.
#[allow(clippy::cast_possible_truncation, reason = "the number has 16 bits")]
const FIONBIO: u32 = libc::FIONBIO as u32;
/// Memory that does not become code.
const NO_CODE: &[When] = &[When::Is(2, libc::PROT_EXEC.cast_unsigned(), 0)];
