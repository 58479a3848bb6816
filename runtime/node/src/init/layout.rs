//! The data directory: what is there before any role starts, and whose it is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::Path;

use postkiln_bundle::{Manifest, User};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Place;

/// Makes the data directory this process's own: two nodes on one queue would send everything twice.
///
/// # Errors
/// When another process has it, or it cannot be made.
pub(super) fn lock(data: &Path) -> Result<File, String> {
    let path = data.join("lock");
    let say = |error: io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(data).map_err(say)?;
    let file = File::options().create(true).append(true).open(&path).map_err(say)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(format!("another node is running with {}", data.display())),
        Err(error) => Err(say(error.into())),
    }
}

/// Makes every directory of the service table, and an empty `run/`.
///
/// # Errors
/// When one cannot be made or given to its user.
pub(super) fn prepare(place: &Place, manifest: &Manifest) -> Result<(), String> {
    let say = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| format!("{path}: {error}")
    };
    make(&place.data, if place.privileged { 0o755 } else { 0o700 }).map_err(say(&place.data))?;
    let run = place.data.join("run");
    match fs::remove_dir_all(&run) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(say(&run)(error)),
        _ => {}
    }
    for name in ["run", "bundles", "log"] {
        let path = place.data.join(name);
        make(&path, 0o755).map_err(say(&path))?;
    }
    follow(place, manifest)
}

/// Makes what a new service table adds.
///
/// # Errors
/// As [`prepare`].
pub(super) fn follow(place: &Place, manifest: &Manifest) -> Result<(), String> {
    for service in &manifest.services {
        for directory in &service.directories {
            let path = place.data.join(&directory.path);
            let say = |error: io::Error| format!("{}: {error}", path.display());
            // A directory that another role reads too holds nothing that is secret: clamd's socket and signatures.
            make(&path, if is_shared(manifest, &directory.path) { 0o755 } else { 0o700 }).map_err(say)?;
            if directory.writable {
                give(place, &path, service.user).map_err(say)?;
            }
        }
    }
    Ok(())
}

fn is_shared(manifest: &Manifest, path: &str) -> bool {
    let all = manifest.services.iter().flat_map(|service| &service.directories);
    path == "run" || all.into_iter().any(|directory| directory.path == path && !directory.writable)
}

/// Gives a file or directory to a user, where there are users.
pub(super) fn give(place: &Place, path: &Path, user: User) -> io::Result<()> {
    if place.privileged { chown(path, Some(user.id()), Some(user.id())) } else { Ok(()) }
}

/// Makes a directory and its parents and fixes its mode, whatever the umask is; durable with its name.
fn make(path: &Path, mode: u32) -> io::Result<()> {
    if !path.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(mode).create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        if let Some(parent) = path.parent() {
            postkiln_sys::sync::directory(parent)?;
        }
    }
    Ok(())
}
