//! The limits of the evaluating process: time, memory, files. The process applies them to itself before it reads
//! anything a person wrote.

use std::io;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr,
};
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

/// Processor time of an evaluation, in seconds.
pub(crate) const SECONDS: u64 = 10;
/// Memory of an evaluation, in bytes.
pub(crate) const MEMORY: u64 = 1 << 30;

/// Limits this process for good.
///
/// # Errors
/// When the limits cannot be set. File access is confined as far as the kernel can (Landlock, since 5.13): the
/// interpreter opens no file by itself, so this is a second wall.
pub(crate) fn confine(root: &Path) -> io::Result<()> {
    // A stopped command leaves nobody who waits for the answer.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Cpu, SECONDS, SECONDS + 1)?;
    limit(Resource::As, MEMORY + OVERHEAD, MEMORY + OVERHEAD)?;
    landlock(root).map_err(io::Error::other)
}

fn limit(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?)
}

/// Files below `root` may be read; nothing else, and no TCP. Also sets `no_new_privs`.
fn landlock(root: &Path) -> Result<(), landlock::RulesetError> {
    let abi = ABI::V4;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .create()?;
    let rules = match PathFd::new(root) {
        Ok(root) => rules.add_rule(PathBeneath::new(root, read))?,
        // A missing folder is no reason to stop: reading from it will fail and say why.
        Err(_) => rules,
    };
    rules.restrict_self()?;
    Ok(())
}

/// Address space that the site is not charged for: the program, and the evaluating thread's stack of 256 MiB.
const OVERHEAD: u64 = 384 << 20;
