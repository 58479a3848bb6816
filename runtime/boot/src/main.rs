//! `postkiln-boot`: the first program of the initrd, up to the hand-over to `init`. Loads the modules that the hardware
//! asks for, finds the root of the slot that the loader chose, mounts it read-only and becomes `postkiln-node init`.
//! Knows nothing about mail, bundles or data. Start at [`hand_over`].

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

use std::convert::Infallible;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postkiln_sys::modules::Table;
use postkiln_sys::mount::{MountFlags, mount, switch_root};

/// The longest wait for disks to appear: a slow controller, or firmware that is still busy with it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time that a person has to read why the start failed.
const READING: Duration = Duration::from_secs(15);
const ROOT: &str = "/root";
const NODE: &str = "/usr/sbin/postkiln-node";

fn main() {
    let Err(error) = hand_over();
    say(&format!("STOPPED: {error}. The machine restarts in {} seconds.", READING.as_secs()));
    std::thread::sleep(READING);
    let _ = rustix::system::reboot(rustix::system::RebootCommand::Restart);
}

/// Does everything up to the new program. Returns only on failure; the loader has counted this attempt already.
fn hand_over() -> io::Result<Infallible> {
    let quiet = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("devtmpfs", Path::new("/dev"), "devtmpfs", quiet, "mode=0755")?;
    mount("proc", Path::new("/proc"), "proc", quiet | MountFlags::NODEV, "")?;
    mount("sysfs", Path::new("/sys"), "sysfs", quiet | MountFlags::NODEV, "")?;
    let slot = slot(&fs::read_to_string("/proc/cmdline")?)?;
    let mut modules = Table::read(Path::new("/modules"))?;
    modules.load("squashfs")?;
    let device = find_partition(&mut modules, &format!("root-{slot}"))?;
    mount(&device.to_string_lossy(), Path::new(ROOT), "squashfs", MountFlags::RDONLY | MountFlags::NODEV, "")?;
    switch_root(Path::new(ROOT), &["/dev", "/proc", "/sys"])?;
    execute()
}

/// Waits for the partition of this name, loading drivers for devices that appear meanwhile.
fn find_partition(modules: &mut Table, name: &str) -> io::Result<PathBuf> {
    let begun = Instant::now();
    loop {
        let found = modules.coldplug(Path::new("/sys/devices"), &mut |module, error| {
            say(&format!("module {module}: {error}"));
        });
        if let Some(device) = postkiln_sys::block::partition_named(name)? {
            return Ok(device.node());
        }
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("no disk has a partition {name:?}; disks seen: {}", disks())));
        }
        if found == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn disks() -> String {
    let names: Vec<String> =
        postkiln_sys::block::disks().unwrap_or_default().into_iter().map(|disk| disk.name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The name of the slot that the loader put on the command line.
fn slot(command_line: &str) -> io::Result<&'static str> {
    match command_line.split_whitespace().find_map(|word| word.strip_prefix("postkiln.slot=")) {
        Some("a") => Ok("a"),
        Some("b") => Ok("b"),
        _ => Err(io::Error::other("the kernel command line names no slot (postkiln.slot=a)")),
    }
}

fn execute() -> io::Result<Infallible> {
    use std::os::unix::process::CommandExt;
    let error = std::process::Command::new(NODE).arg("init").exec();
    Err(io::Error::new(error.kind(), format!("{NODE}: {error}")))
}

/// Prints a line on the console, where the standard streams go. Before `/dev` exists a line may get lost.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "postkiln-boot: {line}");
}
