//! From one bundle to the next: every role prepares, then all switch, or none does. Knows no process and no socket;
//! `supervisor.rs` carries the orders. Start at [`Change`].

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postkiln_bundle::{Bundle, Role, Service};
use postkiln_sys::{BundleDirectory, sync};

/// A bundle in use or on offer: content and directory.
#[derive(Debug)]
pub(super) struct Held {
    /// Verified.
    pub(super) bundle: Bundle,
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its directory, for the roles.
    pub(super) directory: BundleDirectory,
}

impl Held {
    /// Reads and verifies.
    ///
    /// # Errors
    /// When the directory is no bundle.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let path = fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let say = |error: &dyn std::error::Error| format!("{}: {}", path.display(), postkiln_log::chain(error));
        let bundle = Bundle::read(&path).map_err(|error| say(&error))?;
        let directory = BundleDirectory::open(&path).map_err(|error| say(&error))?;
        Ok(Self { bundle, directory, path })
    }

    /// What is to run. Without root's rights there is no network to set up.
    pub(super) fn services(&self, privileged: bool) -> impl Iterator<Item = &Service> {
        self.bundle.manifest().services.iter().filter(move |service| privileged || service.role != Role::Netd)
    }

    /// Who begins conversations with a role.
    pub(super) fn callers_of(&self, role: Role) -> Vec<Role> {
        let services = &self.bundle.manifest().services;
        services.iter().filter(|service| service.doors.contains(&role)).map(|service| service.role).collect()
    }

    /// A role's line of the service table.
    pub(super) fn service(&self, role: Role) -> Option<&Service> {
        self.bundle.manifest().services.iter().find(|service| service.role == role)
    }

    /// The descriptor for an order.
    pub(super) fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// A change under way: the bundle on offer and who has not answered yet.
#[derive(Debug)]
pub(super) struct Change {
    /// The bundle on offer.
    pub(super) held: Held,
    awaited: BTreeSet<Role>,
    /// When silence becomes a refusal.
    pub(super) deadline: Instant,
}

impl Change {
    /// Offers a bundle to these roles.
    pub(super) fn new(held: Held, awaited: BTreeSet<Role>) -> Self {
        Self { held, awaited, deadline: Instant::now() + PATIENCE }
    }

    /// One role has prepared; gives whether all have.
    pub(super) fn prepared(&mut self, role: Role) -> bool {
        self.awaited.remove(&role);
        self.awaited.is_empty()
    }

    /// Whether a role still has to answer.
    pub(super) fn awaits(&self, role: Role) -> bool {
        self.awaited.contains(&role)
    }

    /// Who has not answered, for a person.
    pub(super) fn silent(&self) -> String {
        self.awaited.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
    }
}

/// Makes `bundles/active` point at the bundle of this identity, durably, in one step.
///
/// # Errors
/// When a step fails; the old link is then still there.
pub(crate) fn activate(data: &Path, bundle: &Path) -> std::io::Result<()> {
    let bundles = data.join("bundles");
    // Relative where it can be, so that the data directory may move.
    let target = bundle.strip_prefix(fs::canonicalize(&bundles)?).unwrap_or(bundle);
    let link = bundles.join("active");
    if fs::read_link(&link).is_ok_and(|present| present == target) {
        return Ok(());
    }
    let beside = bundles.join("active.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(target, &beside)?;
    fs::rename(&beside, &link)?;
    sync::directory(&bundles)
}

/// How long a role may take to read a bundle: seeds of 100,000 users take a second.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_moves_in_one_step_and_stays_when_nothing_changed() {
        let folder = tempfile::tempdir().unwrap();
        let data = fs::canonicalize(folder.path()).unwrap();
        for name in ["bundles/one", "bundles/two"] {
            fs::create_dir_all(data.join(name)).unwrap();
        }
        let active = || fs::read_link(data.join("bundles/active")).unwrap();
        activate(&data, &data.join("bundles/one")).unwrap();
        assert_eq!(active(), Path::new("one"));
        // A crash before the rename leaves this behind.
        symlink("nowhere", data.join("bundles/active.new")).unwrap();
        activate(&data, &data.join("bundles/two")).unwrap();
        activate(&data, &data.join("bundles/two")).unwrap();
        assert_eq!(active(), Path::new("two"));
    }

    #[test]
    fn a_change_is_ready_when_the_last_role_has_prepared() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("bundle");
        Bundle::new(1, "mail.example.org", Vec::new(), Vec::new()).write(&place).unwrap();
        let asked = BTreeSet::from([Role::Smtpd, Role::Queued]);
        let mut change = Change::new(Held::open(&place).unwrap(), asked);
        assert!(!change.prepared(Role::Smtpd) && change.awaits(Role::Queued));
        assert_eq!(change.silent(), "queued");
        assert!(change.prepared(Role::Queued));
        fs::write(place.join("stray"), "").unwrap();
        fs::write(place.join("manifest.json"), "{}").unwrap();
        assert!(Held::open(&place).is_err());
    }
}
