//! The data directory: what is there before any role starts, and whose it is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::Path;

use postkiln_bundle::{Manifest, User};
use postkiln_operation::paths;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Place;
use crate::error::{During, NodeError};

/// Makes the data directory this process's own: two nodes on one queue would send everything twice.
///
/// # Errors
/// When another process has it, or it cannot be made.
pub(super) fn lock(data: &Path) -> Result<File, NodeError> {
    let path = data.join("lock");
    let shown = || path.display().to_string();
    fs::create_dir_all(data).during(shown)?;
    let file = File::options().create(true).append(true).open(&path).during(shown)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(NodeError::Taken(data.to_owned())),
        Err(error) => Err(error).during(shown),
    }
}

/// Makes every directory of the service table, and an empty `run/`.
///
/// # Errors
/// When one cannot be made or given to its user.
pub(super) fn prepare(place: &Place, manifest: &Manifest) -> Result<(), NodeError> {
    make(&place.data, if place.privileged { 0o755 } else { PRIVATE }).during(|| place.data.display().to_string())?;
    if !place.privileged {
        // Who started the node may have made it before, by an ordinary umask.
        fs::set_permissions(&place.data, fs::Permissions::from_mode(PRIVATE))
            .during(|| place.data.display().to_string())?;
    }
    let run = place.data.join(paths::RUN);
    match fs::remove_dir_all(&run) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).during(|| run.display().to_string());
        }
        _ => {}
    }
    for name in [paths::RUN, "bundles", "log"] {
        let path = place.data.join(name);
        make(&path, 0o755).during(|| path.display().to_string())?;
    }
    follow(place, manifest)?;
    if place.privileged { Ok(()) } else { borrow_name_servers(&place.data) }
}

/// An ordinary run has no `netd`: `remote` asks the name servers of the machine it runs on, where the site names none.
fn borrow_name_servers(data: &Path) -> Result<(), NodeError> {
    // A machine without the file has no name servers; mail for elsewhere is deferred and says so.
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let lines: String =
        text.lines().filter(|line| line.starts_with("nameserver ")).fold(String::new(), |all, line| all + line + "\n");
    let path = data.join(paths::RESOLV_CONF);
    let shown = || path.display().to_string();
    make(&data.join(paths::NETWORK), 0o755).during(shown)?;
    fs::write(&path, lines).during(shown)
}

/// Makes what a new service table adds.
///
/// # Errors
/// As [`prepare`].
pub(super) fn follow(place: &Place, manifest: &Manifest) -> Result<(), NodeError> {
    for service in &manifest.services {
        for directory in &service.directories {
            let path = place.data.join(&directory.path);
            let shown = || path.display().to_string();
            // A directory that another role reads too holds nothing that is secret: clamd's socket and signatures.
            make(&path, if is_shared(manifest, &directory.path) { 0o755 } else { PRIVATE }).during(shown)?;
            if directory.writable {
                give(place, &path, service.user).during(shown)?;
            }
        }
    }
    Ok(())
}

fn is_shared(manifest: &Manifest, path: &str) -> bool {
    let all = manifest.services.iter().flat_map(|service| &service.directories);
    path == paths::RUN || all.into_iter().any(|directory| directory.path == path && !directory.writable)
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

/// The mode of a directory that only its owner may look into.
const PRIVATE: u32 = 0o700;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Listen;
    use postkiln_bundle::{Directory, Role, Service};

    fn service(role: Role, directories: &[(&str, bool)]) -> Service {
        let directories =
            directories.iter().map(|(path, writable)| Directory { path: (*path).to_owned(), writable: *writable });
        Service { directories: directories.collect(), ..Service::new(role) }
    }

    #[test]
    fn directories_are_private_unless_another_role_reads_them_and_run_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let place = Place { data: data.clone(), bundle: data.clone(), listen: Listen::Loopback(0), privileged: false };
        let services = vec![
            service(Role::Queued, &[("queue", true)]),
            service(Role::Clamd, &[("run/clamav", true)]),
            service(Role::Smtpd, &[("run/clamav", false)]),
        ];
        let bundle = postkiln_bundle::Bundle::new(1, "mail.example.org", Vec::new(), services);
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&place, bundle.manifest()).unwrap();
        fs::write(data.join("run/old"), "").unwrap();
        fs::write(data.join("queue/kept"), "").unwrap();
        prepare(&place, bundle.manifest()).unwrap();
        let mode = |path: &str| fs::metadata(data.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(""), mode("queue"), mode("run/clamav"), mode("bundles")], [0o700, 0o700, 0o755, 0o755]);
        assert!(data.join("queue/kept").exists() && !data.join("run/old").exists());
        let servers = |path: &Path| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.lines().filter(|line| line.starts_with("nameserver ")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(data.join("run/net/resolv.conf").exists());
        assert_eq!(servers(&data.join("run/net/resolv.conf")), servers(Path::new("/etc/resolv.conf")));
    }

    #[test]
    fn one_node_at_a_time_has_a_data_directory() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        assert!(lock(folder.path()).unwrap_err().told().contains("another node"));
        drop(held);
        lock(folder.path()).unwrap();
    }
}
