//! The loader's state block: GRUB's environment block on the ESP, where `tries_<slot>` counts down at each start. When
//! the services answer, the count of the running slot goes back up. Start at [`works`].

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::Path;

use postkiln_sys::mount::{MountFlags, mount, unmount};

use super::disk;
use crate::error::{During, NodeError};

const ESP: &str = "/esp";
const BLOCK: &str = "postkiln/grubenv";
const SIGNATURE: &str = "# GRUB Environment Block\n";
const SIZE: usize = 1024;
const TRIES: &str = "3";

/// The slot this machine was started from.
pub(super) fn current() -> Result<&'static str, NodeError> {
    let line = fs::read_to_string("/proc/cmdline").during(|| "/proc/cmdline".to_owned())?;
    match line.split_whitespace().find_map(|word| word.strip_prefix("postkiln.slot=")) {
        Some("a") => Ok("a"),
        Some("b") => Ok("b"),
        _ => Err(NodeError::Machine("the kernel command line names no slot (postkiln.slot=a)".to_owned())),
    }
}

/// Gives the running slot its tries back.
pub(super) fn works() -> Result<(), NodeError> {
    let slot = current()?;
    let disk = postkiln_sys::block::root_disk().during(|| "the disk of the root".to_owned())?;
    let device = disk::partition(&disk, "esp")?;
    let place = Path::new(ESP);
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount(&device.node().to_string_lossy(), place, "vfat", flags, "umask=0077").during(|| ESP.to_owned())?;
    let changed = change(&place.join(BLOCK), &format!("tries_{slot}"), TRIES);
    let unmounted = unmount(place).during(|| ESP.to_owned());
    changed.and(unmounted)
}

/// Rewrites the block in place: GRUB knows where its sectors lie and never reads another file.
fn change(path: &Path, name: &str, value: &str) -> Result<(), NodeError> {
    let name_of = || path.display().to_string();
    let mut file = File::options().read(true).write(true).open(path).during(name_of)?;
    let mut text = String::new();
    file.read_to_string(&mut text).during(name_of)?;
    let new = with(&text, name, value)
        .ok_or_else(|| NodeError::Machine(format!("{} is no environment block", path.display())))?;
    if new != text {
        file.rewind().during(name_of)?;
        file.write_all(new.as_bytes()).during(name_of)?;
        postkiln_sys::sync::file(&file).during(name_of)?;
    }
    Ok(())
}

/// The environment block with one variable set; `None` when `block` is none, or has no room for it.
fn with(block: &str, name: &str, value: &str) -> Option<String> {
    let body = block.strip_prefix(SIGNATURE).filter(|_| block.len() == SIZE)?;
    let mut text = SIGNATURE.to_owned();
    let comment = |line: &&str| line.starts_with("# ");
    for line in body.lines().filter(comment) {
        text.push_str(line);
        text.push('\n');
    }
    let assigned = |line: &&str| !line.starts_with('#') && line.contains('=');
    let kept = body.lines().filter(assigned).filter(|line| line.split('=').next() != Some(name));
    for line in kept {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&format!("{name}={value}\n"));
    let padding = SIZE.checked_sub(text.len())?;
    Some(text + &"#".repeat(padding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_changes_and_the_size_never() {
        let mut block = format!("{SIGNATURE}# note\nslot=a\ntries_a=1\ntries_b=0\n");
        block.push_str(&"#".repeat(SIZE - block.len()));
        let new = with(&block, "tries_a", "3").unwrap();
        assert_eq!(new.len(), SIZE);
        assert!(new.starts_with(&format!("{SIGNATURE}# note\nslot=a\ntries_b=0\ntries_a=3\n###")), "{new}");
        assert_eq!(with(&new, "tries_a", "3").unwrap(), new);
        assert_eq!(with("something else", "tries_a", "3"), None);
    }
}
