//! Files of the bundle that programs of others want to find in the data directory: configuration with this node's
//! paths, folders such as a site's virus signatures. Knows no program. Start at [`prepare`].

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use postkiln_bundle::{Bundle, Provision, Role, User};
use postkiln_sys::sync;

use super::{Place, layout};
use crate::error::{During, NodeError};

/// Writes what the service table names; gives the roles for whom anything is different from before.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn prepare(place: &Place, bundle: &Bundle) -> Result<BTreeSet<Role>, NodeError> {
    let mut changed = BTreeSet::new();
    for service in &bundle.manifest().services {
        for provision in &service.provisions {
            let (Provision::Configuration { from, to } | Provision::Folder { from, to }) = provision;
            let path = place.data.join(to);
            let written = match provision {
                Provision::Configuration { .. } => configuration(place, bundle, from, &path, service.user),
                Provision::Folder { .. } => folder(place, bundle, from, &path, service.user),
            };
            if written.during(|| format!("{}", path.display()))? {
                changed.insert(service.role);
            }
        }
    }
    Ok(changed)
}

fn configuration(place: &Place, bundle: &Bundle, from: &str, to: &Path, user: User) -> io::Result<bool> {
    let Some(text) = bundle.file(from) else { return Ok(false) };
    let text = with_paths(&String::from_utf8_lossy(text), &place.data);
    replace(place, to, text.as_bytes(), user)
}

/// The bundle's text names `/data`, the directory of the machine; a run has another.
fn with_paths(text: &str, data: &Path) -> String {
    let data = data.to_string_lossy();
    let line = |line: &str| match line.split_once(' ') {
        Some((key, value)) if value.trim() == "/data" || value.trim().starts_with("/data/") => {
            format!("{key} {data}{}\n", value.trim().strip_prefix("/data").unwrap_or_default())
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Copies a folder's files and removes those that an earlier bundle brought.
fn folder(place: &Place, bundle: &Bundle, from: &str, to: &Path, user: User) -> io::Result<bool> {
    let list = to.join(LIST);
    let earlier = fs::read_to_string(&list).unwrap_or_default();
    let mut changed = false;
    let mut names = String::new();
    for (entry, bytes) in bundle.files() {
        if let Some(name) = entry.path.strip_prefix(from).and_then(|rest| rest.strip_prefix('/')) {
            changed |= replace(place, &to.join(name), bytes, user)?;
            names.push_str(name);
            names.push('\n');
        }
    }
    for gone in earlier.lines().filter(|name| !names.lines().any(|kept| kept == *name) && !name.contains('/')) {
        changed |= fs::remove_file(to.join(gone)).is_ok();
    }
    if names != earlier {
        replace(place, &list, names.as_bytes(), user)?;
    }
    Ok(changed)
}

fn replace(place: &Place, path: &Path, bytes: &[u8], user: User) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    sync::replace_volatile(path, bytes, 0o644)?;
    layout::give(place, path, user)?;
    Ok(true)
}

/// The list of files that a bundle brought to a folder in which others write as well.
const LIST: &str = "site.list";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Listen;
    use postkiln_bundle::{File, Owner, Service};

    fn check(text: &str, expected: &str) {
        assert_eq!(with_paths(text, Path::new("/tmp/node")), expected);
    }

    #[test]
    fn paths_of_the_machine_become_paths_of_the_run() {
        check("LocalSocket /data/run/clamav/clamd.sock\n", "LocalSocket /tmp/node/run/clamav/clamd.sock\n");
        check("DatabaseDirectory /data", "DatabaseDirectory /tmp/node\n");
        check("LogFile /database/x\nScanMail yes\n# /data/x", "LogFile /database/x\nScanMail yes\n# /tmp/node/x\n");
    }

    #[test]
    fn who_is_provided_with_something_new_is_named_and_old_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let place = Place { data: data.clone(), bundle: data.clone(), listen: Listen::Loopback(0), privileged: false };
        for name in ["run", "clamav"] {
            fs::create_dir(data.join(name)).unwrap();
        }
        fs::write(data.join("clamav/daily.cld"), "freshclam's").unwrap();
        let clamd = Service {
            provisions: vec![
                Provision::Configuration { from: "clamav/clamd.conf".to_owned(), to: "run/clamd.conf".to_owned() },
                Provision::Folder { from: "clamav/signatures".to_owned(), to: "clamav".to_owned() },
            ],
            ..Service::new(Role::Clamd)
        };
        let prepare = |files: &[(&str, &str)]| {
            let file = |(path, text): &(&str, &str)| File::new(*path, text.as_bytes().to_vec(), Owner::Everyone);
            let files = files.iter().map(file).collect();
            let services = vec![clamd.clone(), Service::new(Role::Smtpd)];
            let changed = super::prepare(&place, &Bundle::new(1, "mail.example.org", files, services)).unwrap();
            changed.into_iter().collect::<Vec<_>>()
        };
        let conf = ("clamav/clamd.conf", "LogFile /data/log\n");
        assert_eq!(prepare(&[conf, ("clamav/signatures/own.ndb", "x")]), [Role::Clamd]);
        assert_eq!(fs::read_to_string(data.join("clamav/own.ndb")).unwrap(), "x");
        assert_eq!(prepare(&[conf, ("clamav/signatures/own.ndb", "x")]), []);
        assert_eq!(prepare(&[conf]), [Role::Clamd]);
        assert!(!data.join("clamav/own.ndb").exists() && data.join("clamav/daily.cld").exists());
    }
}
