//! Mounting, and moving into another root. Knows nothing about what the file systems hold.

use std::path::Path;
use std::{fs, io};

pub use rustix::mount::{MountFlags, UnmountFlags};

/// Mounts a file system; makes the directory first where that is possible.
///
/// # Errors
/// When the kernel refuses, with the place in the message.
pub fn mount(source: &str, target: &Path, kind: &str, flags: MountFlags, options: &str) -> io::Result<()> {
    let options = std::ffi::CString::new(options)?;
    if !target.is_dir() {
        fs::create_dir_all(target).map_err(|error| about(target, &error))?;
    }
    rustix::mount::mount(source, target, kind, flags, Some(options.as_c_str())).map_err(|error| {
        io::Error::new(io::Error::from(error).kind(), format!("mount {kind} {source} at {}: {error}", target.display()))
    })
}

/// Unmounts the file system at `target`.
///
/// # Errors
/// When the kernel refuses.
pub fn unmount(target: &Path) -> io::Result<()> {
    rustix::mount::unmount(target, UnmountFlags::empty()).map_err(|error| about(target, &error.into()))
}

/// Makes a mount read-only, whatever still has it open.
///
/// # Errors
/// When the kernel refuses.
pub fn remount_read_only(target: &Path) -> io::Result<()> {
    rustix::mount::mount_remount(target, MountFlags::RDONLY, c"").map_err(|error| about(target, &error.into()))
}

/// Leaves the initramfs for `root`: moves the mounts named, empties the old root and makes the new one `/`.
///
/// # Errors
/// When a mount cannot be moved; the old root then still stands.
pub fn switch_root(root: &Path, moved: &[&str]) -> io::Result<()> {
    for place in moved {
        let target = root.join(place.trim_start_matches('/'));
        rustix::mount::mount_move(*place, &target).map_err(|error| about(&target, &error.into()))?;
    }
    rustix::process::chdir(root)?;
    empty_ramfs(root);
    rustix::mount::mount_move(".", "/").map_err(|error| about(root, &error.into()))?;
    rustix::process::chroot(".")?;
    rustix::process::chdir("/")?;
    Ok(())
}

/// Gives the initramfs's memory back. A file that cannot be removed only costs its memory.
fn empty_ramfs(keep: &Path) {
    use std::os::unix::fs::MetadataExt;
    let Ok(device) = fs::metadata("/").map(|data| data.dev()) else { return };
    let Ok(entries) = fs::read_dir("/") else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(data) = fs::symlink_metadata(&path) else { continue };
        if path == keep || data.dev() != device {
            continue;
        }
        let _ = if data.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
