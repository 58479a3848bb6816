//! The data file system: which device it is on, made when that is blank, checked, grown, mounted. Nothing that is not
//! blank is ever formatted. Start at [`mount`].

use std::path::Path;
use std::process::Command;

use postkiln_sys::block::{self, Device};
use postkiln_sys::gpt;
use postkiln_sys::mount::{self, MountFlags};

use super::console;
use super::disk::{self, Content, LABEL};
use crate::error::{During, NodeError};

/// Octets by which the file system must be able to grow before resize2fs is run.
const WORTH: u64 = 8 << 20;
/// Octets of a device from which on the file system gets a journal of 64 MiB: many small syncs then do not wait
/// for each other.
const ROOM_FOR_JOURNAL: u64 = 1 << 30;

/// Finds the data file system, makes it where the device is blank, checks it, mounts it at `place`, and grows it
/// to the device.
///
/// # Errors
/// When a foreign device is attached, or one of the programs for ext4 fails; nothing is formatted then.
pub(super) fn mount(boot_disk: &Device, place: &Path) -> Result<(), NodeError> {
    let (device, content) = choose(boot_disk)?;
    let node = device.node();
    let size = match content {
        Content::Ours(size) => {
            check(&node)?;
            size
        }
        Content::Blank => {
            make(&device)?;
            device.size
        }
        Content::Foreign(what) => {
            return Err(NodeError::Machine(format!(
                "{} holds {what}, not the file system {LABEL}. Nothing was changed. Attach an empty disk (all zero) or \
                 the right one, and switch on again",
                node.display()
            )));
        }
    };
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::NOATIME;
    mount::mount(&node.to_string_lossy(), place, "ext4", flags, "data=ordered,errors=remount-ro")
        .map_err(|error| NodeError::Machine(format!("{error}. Nothing was formatted")))?;
    if device.size.saturating_sub(size) >= WORTH {
        console::line(&format!("Postkiln: data on {} grows to {} MiB", device.name, device.size >> 20));
        run("/usr/sbin/resize2fs", &[&node.to_string_lossy()], &[0])?;
    }
    Ok(())
}

/// The device that the data are on, or will be on. A whole disk without partitions comes first: ours before a blank
/// one, and a foreign one stops the start, because a person attached it for a reason. Where there is no such disk, the
/// data are on the last partition of the boot disk.
fn choose(boot_disk: &Device) -> Result<(Device, Content), NodeError> {
    let mut found = Vec::new();
    for device in block::disks().during(|| "the list of disks".to_owned())? {
        let partitioned = !block::partitions(&device.name).during(|| device.name.clone())?.is_empty();
        if device.name != boot_disk.name && !partitioned {
            let content = disk::look(&device.node()).during(|| device.name.clone())?;
            found.push((device, content));
        }
    }
    // `min_by_key` keeps the first of equals: the order of device names.
    let rank = |content: &Content| match content {
        Content::Ours(_) => 0,
        Content::Foreign(_) => 1,
        Content::Blank => 2,
    };
    if let Some(best) = found.into_iter().min_by_key(|(_, content)| rank(content)) {
        return Ok(best);
    }
    let mut device = disk::partition(boot_disk, "data")?;
    if let Some(number) = device.number
        && let Some(size) = gpt::grow(&boot_disk.node(), number).during(|| boot_disk.name.clone())?
    {
        device.size = size;
    }
    let content = disk::look(&device.node()).during(|| device.name.clone())?;
    Ok((device, content))
}

fn make(device: &Device) -> Result<(), NodeError> {
    console::line(&format!("Postkiln: making the data file system on {} ({} MiB)", device.name, device.size >> 20));
    let node = device.node();
    let node = node.to_string_lossy();
    // One inode for 8 KiB, because each mail is a file. The kernel initialises tables later, while the machine works.
    let mut arguments = vec!["-q", "-t", "ext4", "-b", "4096", "-i", "8192", "-m", "1", "-L", LABEL];
    arguments.extend(["-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"]);
    if device.size >= ROOM_FOR_JOURNAL {
        arguments.extend(["-J", "size=64"]);
    }
    let blocks = (disk::mark_place(device.size) / 4096).to_string();
    arguments.extend([&*node, &blocks]);
    disk::begin_making(device).during(|| node.to_string())?;
    run("/usr/sbin/mke2fs", &arguments, &[0])?;
    disk::end_making(device).during(|| node.to_string())
}

/// Replays the journal and repairs what is safe to repair (e2fsck(8): 0 clean, 1 repaired).
fn check(node: &Path) -> Result<(), NodeError> {
    run("/usr/sbin/e2fsck", &["-p", &node.to_string_lossy()], &[0, 1]).map_err(|problem| {
        NodeError::Machine(format!("{problem}. The data need a person: run e2fsck on a copy of the disk"))
    })
}

fn run(program: &str, arguments: &[&str], good: &[i32]) -> Result<(), NodeError> {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/usr/bin")
        .output()
        .during(|| program.to_owned())?;
    if output.status.code().is_some_and(|code| good.contains(&code)) {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().replace('\n', "; ");
    Err(NodeError::Program { program: program.to_owned(), said: format!("{}: {said}", output.status) })
}
