//! Preparing the kernel before any service starts: mounts, modules, settings; and ending all processes.

use std::path::Path;

use postkiln_log::Event;
use postkiln_sys::Group;
use postkiln_sys::modules::Table;
use postkiln_sys::mount::{MountFlags, mount};
use rustix::process::{Pid, Signal, kill_process_group};

use super::{GROUPS, console};
use crate::error::{During, NodeError};

/// Mounts everything that lives in memory. `/dev`, `/proc` and `/sys` came with the root.
pub(super) fn mounts() -> Result<(), NodeError> {
    let plain = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let table =
        [("/run", "tmpfs", "mode=0755,size=64m"), ("/tmp", "tmpfs", "mode=1777,size=256m"), (GROUPS, "cgroup2", "")];
    for (place, kind, options) in table {
        mount(kind, Path::new(place), kind, plain, options).during(|| place.to_owned())?;
    }
    if let Err(error) = Group::count_memory_below(Path::new(GROUPS)) {
        // Services still have the other limit, of what they reserve.
        postkiln_log::warn(
            Event::SettingRefused,
            &[("setting", &"groups with a limit of memory"), ("problem", &error)],
        );
    }
    Ok(())
}

/// Loads what the hardware asks for, and what no hardware asks for: the ESP's file system and input events.
pub(super) fn modules() {
    let mut complain = |name: &str, error: &std::io::Error| {
        postkiln_log::warn(Event::ModuleNotLoaded, &[("module", &name), ("problem", error)])
    };
    let mut table = match Table::read(Path::new("/usr/lib/modules")) {
        Ok(table) => table,
        Err(error) => return complain("modules.table", &error),
    };
    for name in ["evdev", "vfat", "nls_cp437", "nls_ascii"] {
        if let Err(error) = table.load(name) {
            complain(name, &error);
        }
    }
    // A bus driver makes devices appear that ask for more.
    while table.coldplug(Path::new("/sys/devices"), &mut complain) > 0 {}
}

/// Kernel settings: what nothing on this machine needs is switched off.
pub(super) fn settings() {
    let table = [
        ("kernel/io_uring_disabled", "2"),
        ("kernel/yama/ptrace_scope", "2"),
        ("kernel/kptr_restrict", "2"),
        ("kernel/dmesg_restrict", "1"),
        ("kernel/unprivileged_userns_clone", "0"),
        ("kernel/sysrq", "0"),
        ("fs/protected_hardlinks", "1"),
        ("fs/protected_symlinks", "1"),
        ("fs/protected_fifos", "2"),
        ("fs/protected_regular", "2"),
        ("fs/suid_dumpable", "0"),
        ("net/ipv4/conf/all/accept_redirects", "0"),
        ("net/ipv4/conf/all/send_redirects", "0"),
        ("net/ipv6/conf/all/accept_redirects", "0"),
    ];
    for (name, value) in table {
        if let Err(error) = std::fs::write(Path::new("/proc/sys").join(name), value) {
            postkiln_log::warn(Event::SettingRefused, &[("setting", &name), ("problem", &error)]);
        }
    }
    // As PID 1 we hear of Control-Alt-Delete by a signal and go down in order.
    if let Err(error) = rustix::system::reboot(rustix::system::RebootCommand::CadOff) {
        postkiln_log::warn(Event::SettingRefused, &[("setting", &"control-alt-delete"), ("problem", &error)]);
    }
}

/// Ends what is left after the services: nobody may hold the data file system.
pub(super) fn end_everybody() {
    // `kill(-1)` reaches every process but this one; nobody is left to be asked politely.
    let _ = kill_process_group(Pid::INIT, Signal::KILL);
    let _ = postkiln_sys::reap();
    console::line("Postkiln: going down");
}
