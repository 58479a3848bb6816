//! The parts of a bundle: `parts/<role>/<identity>/` below the data directory holds what one role reads of a bundle,
//! and nothing else. A role confines itself to the folder of its parts, and so to those of bundles that do not exist
//! yet. Knows nothing about the meaning of the files. Start at [`cut`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use postkiln_bundle::{Manifest, Program, Role, Service, Table};
use postkiln_sys::BundleDirectory;

use crate::error::{During, NodeError};

/// The folder of a role's parts.
pub(crate) fn of(data: &Path, role: Role) -> PathBuf {
    data.join(FOLDER).join(role.name())
}

/// Removes all parts. They are made anew at each start: after a power cut nobody knows which of them are whole.
///
/// # Errors
/// When something cannot be removed, or the folder not be made.
pub(crate) fn clear(data: &Path) -> io::Result<()> {
    let folder = data.join(FOLDER);
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
}

/// Makes the part of every role of ours, and removes those of bundles other than this one and the one in force: a role
/// may still read from that one for work begun before a change. With users of their own (`privileged`) each part is for
/// its role's user alone.
///
/// # Errors
/// When a part cannot be made.
pub(crate) fn cut(
    bundle: &Path,
    manifest: &Manifest,
    data: &Path,
    in_force: Option<&str>,
    privileged: bool,
) -> Result<BTreeMap<Role, BundleDirectory>, NodeError> {
    let mut parts = BTreeMap::new();
    for service in manifest.services.iter().filter(|service| service.program == Program::Node) {
        let folder = of(data, service.role);
        let shown = || folder.display().to_string();
        prepare(&folder, &[Some(manifest.identity.as_str()), in_force], service, privileged).during(shown)?;
        let part = folder.join(&manifest.identity);
        if !part.is_dir() {
            fill(bundle, manifest, service, &part, privileged).during(shown)?;
        }
        parts.insert(service.role, BundleDirectory::open(&part).during(shown)?);
    }
    Ok(parts)
}

/// Makes the folder of a role's parts, and removes from it what is not kept.
fn prepare(folder: &Path, kept: &[Option<&str>], service: &Service, privileged: bool) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o750))?;
    if privileged {
        // Root's own, so that a role can change nothing there.
        chown(folder, None, Some(service.user.id()))?;
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !kept.iter().flatten().any(|identity| entry.file_name() == *identity) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Fills a part, so that it is there whole or not at all.
fn fill(bundle: &Path, manifest: &Manifest, service: &Service, part: &Path, privileged: bool) -> io::Result<()> {
    let draft = part.with_extension("new");
    let mut made = BTreeSet::new();
    make(&draft)?;
    for entry in manifest.files.iter().filter(|entry| service.may_read(&entry.path)) {
        for (at, _) in entry.path.match_indices('/') {
            let parent = entry.path.get(..at).unwrap_or_default();
            if made.insert(parent) {
                make(&draft.join(parent))?;
            }
        }
        let owner = privileged.then(|| service.user.id());
        place(&bundle.join(&entry.path), &draft.join(&entry.path), owner)?;
    }
    // The bundle's own manifest names everything that the role has no business with.
    let table = draft.join(Manifest::NAME);
    remove(&table)?;
    fs::write(&table, Table::of(&manifest.identity, service).print())?;
    fs::set_permissions(&table, fs::Permissions::from_mode(0o644))?;
    fs::rename(&draft, part)
}

/// A second name for a file. Where the bundle lies on another disk, or belongs to somebody else, a copy.
fn place(from: &Path, to: &Path, owner: Option<u32>) -> io::Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    chown(to, owner, owner)
}

fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The folder below the data directory.
const FOLDER: &str = "parts";

#[cfg(test)]
mod tests {
    use super::*;
    use postkiln_bundle::{Bundle, File, Owner};

    fn bundle(greeting: &str, folder: &Path) -> (PathBuf, Manifest) {
        let file = |path: &str, text: &str, owner| File::new(path, text.as_bytes().to_vec(), owner);
        let files = vec![
            file("control/me", "mail.example.org\n", Owner::Everyone),
            file("control/smtpgreeting", greeting, Owner::Everyone),
            file("domains/example.org/.qmail-default", "|x\n", Owner::Everyone),
            file("seeds/sqlite.sql", "--\n", Owner::Directory),
        ];
        let service = |role, reads: &[&str]| {
            let reads = reads.iter().map(|&path| path.to_owned()).collect();
            Service { reads, ..Service::new(role) }
        };
        let external = Program::External { path: "/usr/sbin/clamd".to_owned(), arguments: Vec::new() };
        let services = vec![
            service(Role::Directoryd, &["domains/", "seeds/sqlite.sql"]),
            service(Role::Smtpd, &["control/me", "control/smtpgreeting", "control/absent"]),
            Service { program: external, ..service(Role::Clamd, &["control/me"]) },
        ];
        let bundle = Bundle::new(1, "mail.example.org", files, services);
        let path = folder.join("bundles").join(&bundle.manifest().identity);
        bundle.write(&path).unwrap();
        (path, bundle.manifest().clone())
    }

    #[test]
    fn a_part_has_what_its_role_reads_and_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        let (path, manifest) = bundle("one", data);
        clear(data).unwrap();
        let parts = cut(&path, &manifest, data, None, false).unwrap();
        assert_eq!(parts.keys().collect::<Vec<_>>(), [&Role::Directoryd, &Role::Smtpd]);
        let has = |role: Role, file: &str| parts[&role].read(file).unwrap().is_some();
        assert!(has(Role::Smtpd, "control/me") && has(Role::Smtpd, "control/smtpgreeting"));
        assert!(!has(Role::Smtpd, "seeds/sqlite.sql") && !has(Role::Smtpd, "domains/example.org/.qmail-default"));
        assert!(has(Role::Directoryd, "seeds/sqlite.sql") && !has(Role::Directoryd, "control/me"));
        let table = Table::parse(&parts[&Role::Smtpd].read(Manifest::NAME).unwrap().unwrap()).unwrap();
        assert_eq!((&table.identity, table.services.len()), (&manifest.identity, 1));
        assert_eq!(table.services[0].role, Role::Smtpd);
        // The bundle itself is as it was.
        assert_eq!(Bundle::read(&path).unwrap().manifest(), &manifest);
    }

    #[test]
    fn the_part_in_force_stays_beside_a_new_one_and_older_ones_go() {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        clear(data).unwrap();
        let mut before = None;
        let mut identities = Vec::new();
        for greeting in ["one", "two", "three"] {
            let (path, manifest) = bundle(greeting, data);
            cut(&path, &manifest, data, before.as_deref(), false).unwrap();
            before = Some(manifest.identity.clone());
            identities.push(manifest.identity);
        }
        let mut left: Vec<_> = fs::read_dir(of(data, Role::Smtpd))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut kept = identities.split_off(1);
        kept.sort();
        assert_eq!(left, kept);
        clear(data).unwrap();
        assert!(!of(data, Role::Smtpd).exists());
    }
}
