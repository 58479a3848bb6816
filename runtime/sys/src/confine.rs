//! Giving up powers: no new privileges, and files only below named directories (Landlock). Every role does so in this
//! order; the calls themselves are `filter.rs`'s business.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The places that a process keeps.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Directories below which files are read. One that does not exist is left out.
    pub read: &'a [PathBuf],
    /// Directories below which files are changed.
    pub write: &'a [PathBuf],
    /// Whether other hosts may be called by TCP.
    pub internet: bool,
}

/// From now on this process, and every thread it starts later, reaches files below `bundle` and its places; set-user-id
/// programs gain nothing; it signals no other process, opens no port, and finds no Unix socket without a path. Must be
/// called before any thread starts. Gives `false` where the kernel has no Landlock: then only the user's rights hold.
///
/// # Errors
/// When the kernel refuses; the caller must not go on.
pub fn confine(bundle: BorrowedFd<'_>, reach: &Reach<'_>) -> io::Result<bool> {
    rustix::thread::set_no_new_privs(true)?;
    restrict(bundle, reach).map_err(io::Error::other)
}

fn restrict(bundle: BorrowedFd<'_>, reach: &Reach<'_>) -> Result<bool, landlock::RulesetError> {
    // ABI 6 (Linux 6.12) is what Debian 13 has; older kernels get the subset they know.
    let abi = ABI::V6;
    let network = if reach.internet { AccessNet::BindTcp.into() } else { AccessNet::from_all(abi) };
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(network)?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rule(PathBeneath::new(bundle, AccessFs::ReadFile | AccessFs::ReadDir))?;
    // Random devices: crates that look for getrandom(2) by dlsym find nothing in a static program and open these.
    let chance = [PathBuf::from("/dev/urandom"), PathBuf::from("/dev/random")];
    let reading = AccessFs::ReadFile | AccessFs::ReadDir;
    for (paths, access) in [(&chance[..], reading), (reach.read, reading), (reach.write, AccessFs::from_all(abi))] {
        for path in paths {
            if let Ok(opened) = PathFd::new(path) {
                let access = if path.is_dir() { access } else { access & AccessFs::from_file(abi) };
                rules = rules.add_rule(PathBeneath::new(opened, access))?;
            }
        }
    }
    Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// The memory of this process never gets into a core dump, of its own or of a child: not into a file, and not to a
/// program that takes dumps from the kernel, which only the limit 1 keeps from it (core(5)).
pub fn forbid_core_dumps() {
    let limit = Rlimit { current: Some(1), maximum: Some(1) };
    // A refusal, which the kernel has no reason for, leaves what the system allows.
    let _ = setrlimit(Resource::Core, limit);
}

/// Lets this process have as many descriptors as the system allows it.
pub fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // A refusal leaves the old limit, which only means that fewer peers are served.
    let _ = setrlimit(Resource::Nofile, limit);
}
