//! Filters of system calls (seccomp(2)). A role names the calls it makes; any other one is the end of its
//! process, which `init` sees as SIGSYS. A program of others is only refused what no server needs. Knows no role.
//! Start at [`permit`].

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// A system call that is allowed, or refused.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The number of the call.
    pub number: libc::c_long,
    /// The conditions on its arguments. A call may stand in a list more than once; then one of its entries must agree.
    pub when: &'static [When],
}

/// A condition on an argument's lower 32 bits.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// The argument of this index, seen through a mask, is this.
    Is(u8, u32, u32),
    /// The argument of this index is not this.
    IsNot(u8, u32),
    /// The argument of this index is this process.
    IsSelf(u8),
    /// The argument of this index, all 64 bits of it, is zero: no pointer.
    IsNull(u8),
}

impl Call {
    /// A call with any arguments.
    #[must_use]
    pub const fn any(number: libc::c_long) -> Self {
        Self { number, when: &[] }
    }

    /// A call with some arguments only.
    #[must_use]
    pub const fn only(number: libc::c_long, when: &'static [When]) -> Self {
        Self { number, when }
    }
}

/// From now on this process, and every thread it starts later, makes these calls; any other one kills it. Must be
/// called before any thread starts, and cannot be taken back.
///
/// # Errors
/// When the kernel takes no filters; the caller must not go on.
pub fn permit<'a>(calls: impl IntoIterator<Item = &'a Call>) -> io::Result<()> {
    // clone3 hides its flags behind a pointer, where no filter sees them. The C library takes clone when it is missing.
    let missing = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    install(&program(HIDDEN, SeccompAction::Allow, missing)?)?;
    install(&program(calls.into_iter().chain(HIDDEN), SeccompAction::KillProcess, SeccompAction::Allow)?)
}

/// The calls that a program of others is refused (EPERM): calls by which it could look into other processes, change
/// the machine, or reach the rarely used parts of the kernel where most faults are found. What else it calls changes
/// with its versions.
///
/// # Errors
/// When there are no filters for this architecture.
pub(crate) fn for_others() -> io::Result<BpfProgram> {
    program(REFUSED, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.cast_unsigned()))
}

/// Puts a filter upon this thread, without allocating.
pub(crate) fn install(program: &BpfProgram) -> io::Result<()> {
    seccompiler::apply_filter(program).map_err(|error| match error {
        seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error) => error,
        _ => io::ErrorKind::InvalidInput.into(),
    })
}

fn program<'a>(
    calls: impl IntoIterator<Item = &'a Call>,
    otherwise: SeccompAction,
    action: SeccompAction,
) -> io::Result<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut without_conditions = Vec::new();
    for call in calls {
        let alternatives = rules.entry(call.number).or_default();
        if call.when.is_empty() {
            without_conditions.push(call.number);
        } else {
            let conditions = call.when.iter().map(condition).collect::<Result<_, _>>().map_err(io::Error::other)?;
            alternatives.push(SeccompRule::new(conditions).map_err(io::Error::other)?);
        }
    }
    for number in without_conditions {
        // No alternatives means any arguments.
        rules.insert(number, Vec::new());
    }
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter = SeccompFilter::new(rules, otherwise, action, architecture).map_err(io::Error::other)?;
    BpfProgram::try_from(filter).map_err(io::Error::other)
}

fn condition(when: &When) -> Result<SeccompCondition, seccompiler::BackendError> {
    use SeccompCmpArgLen::{Dword, Qword};
    match *when {
        When::Is(argument, mask, value) => {
            SeccompCondition::new(argument, Dword, SeccompCmpOp::MaskedEq(mask.into()), value.into())
        }
        When::IsNot(argument, value) => SeccompCondition::new(argument, Dword, SeccompCmpOp::Ne, value.into()),
        When::IsSelf(argument) => SeccompCondition::new(argument, Dword, SeccompCmpOp::Eq, std::process::id().into()),
        When::IsNull(argument) => SeccompCondition::new(argument, Qword, SeccompCmpOp::Eq, 0),
    }
}

/// The call whose arguments no filter sees.
const HIDDEN: &[Call] = &[Call::any(libc::SYS_clone3)];

/// Families of sockets other than those of the internet, of this machine, and of the questions that name look-ups
/// ask the kernel.
const UNUSUAL_SOCKET: &[When] = &[
    When::IsNot(0, libc::AF_UNIX.cast_unsigned()),
    When::IsNot(0, libc::AF_INET.cast_unsigned()),
    When::IsNot(0, libc::AF_INET6.cast_unsigned()),
    When::IsNot(0, libc::AF_NETLINK.cast_unsigned()),
];

const REFUSED: &[Call] = &[
    Call::only(libc::SYS_socket, UNUSUAL_SOCKET),
    Call::any(libc::SYS_ptrace),
    Call::any(libc::SYS_process_vm_readv),
    Call::any(libc::SYS_process_vm_writev),
    Call::any(libc::SYS_mount),
    Call::any(libc::SYS_umount2),
    Call::any(libc::SYS_pivot_root),
    Call::any(libc::SYS_chroot),
    Call::any(libc::SYS_unshare),
    Call::any(libc::SYS_setns),
    Call::any(libc::SYS_open_tree),
    Call::any(libc::SYS_move_mount),
    Call::any(libc::SYS_fsopen),
    Call::any(libc::SYS_fsmount),
    Call::any(libc::SYS_open_by_handle_at),
    Call::any(libc::SYS_bpf),
    Call::any(libc::SYS_perf_event_open),
    Call::any(libc::SYS_userfaultfd),
    Call::any(libc::SYS_io_uring_setup),
    Call::any(libc::SYS_add_key),
    Call::any(libc::SYS_request_key),
    Call::any(libc::SYS_keyctl),
    Call::any(libc::SYS_init_module),
    Call::any(libc::SYS_finit_module),
    Call::any(libc::SYS_delete_module),
    Call::any(libc::SYS_kexec_load),
    Call::any(libc::SYS_reboot),
    Call::any(libc::SYS_swapon),
    Call::any(libc::SYS_swapoff),
    Call::any(libc::SYS_settimeofday),
    Call::any(libc::SYS_clock_settime),
    Call::any(libc::SYS_adjtimex),
    Call::any(libc::SYS_sethostname),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of instructions says that something was made; that the kernel obeys it, `tests/run_walls.rs` tries on
    /// running roles, and `spawn.rs` on a program of others.
    #[test]
    fn entries_without_conditions_win_over_those_with() {
        const FLAGS: &[When] = &[When::Is(2, 3, 0), When::IsNot(0, 5)];
        let length = |calls: &[Call]| program(calls, SeccompAction::Allow, SeccompAction::KillProcess).unwrap().len();
        let (any, only) = (Call::any(libc::SYS_openat), Call::only(libc::SYS_openat, FLAGS));
        assert!(length(&[only]) > length(&[any]));
        assert_eq!(length(&[only, any]), length(&[any]));
        assert_eq!(length(&[any, only]), length(&[any]));
        assert!(length(&[only, only]) > length(&[only]));
    }
}
