//! From one bundle to the next: every role prepares, then all switch, or none does. Knows no process and no socket;
//! `supervisor.rs` carries the orders. Start at [`Change`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postkiln_bundle::{Bundle, Role, Service};
use postkiln_sys::BundleDirectory;

use super::Place;
use crate::error::{During, NodeError};
use crate::parts;

/// A bundle in use or on offer: content and directory.
#[derive(Debug)]
pub(super) struct Held {
    /// The bundle, verified.
    pub(super) bundle: Bundle,
    /// The path of its directory.
    pub(super) path: PathBuf,
    /// The part of the bundle that each role of ours reads.
    parts: BTreeMap<Role, BundleDirectory>,
}

impl Held {
    /// Reads the bundle in a directory and verifies its files.
    ///
    /// # Errors
    /// When the directory is no bundle.
    pub(super) fn open(path: &Path) -> Result<Self, NodeError> {
        let path = fs::canonicalize(path).during(|| path.display().to_string())?;
        let bundle = Bundle::read(&path).map_err(|error| NodeError::bundle(path.display().to_string(), &error))?;
        Ok(Self { bundle, parts: BTreeMap::new(), path })
    }

    /// Makes the parts of the roles, beside those of the bundle in force.
    ///
    /// # Errors
    /// When one cannot be made.
    pub(super) fn cut(&mut self, place: &Place, in_force: Option<&str>) -> Result<(), NodeError> {
        let manifest = self.bundle.manifest();
        self.parts = parts::cut(&self.path, manifest, &place.data, in_force, place.privileged)?;
        Ok(())
    }

    /// The services that are to run here.
    pub(super) fn services(&self, on_machine: bool) -> impl Iterator<Item = &Service> {
        self.bundle.manifest().services.iter().filter(move |service| on_machine || !service.machine_only)
    }

    /// The roles that begin conversations with a role.
    pub(super) fn callers_of(&self, role: Role) -> Vec<Role> {
        let services = &self.bundle.manifest().services;
        services.iter().filter(|service| service.doors.contains(&role)).map(|service| service.role).collect()
    }

    /// A role's line of the service table.
    pub(super) fn service(&self, role: Role) -> Option<&Service> {
        self.bundle.manifest().services.iter().find(|service| service.role == role)
    }

    /// The identity, which names the content.
    pub(super) fn identity(&self) -> &str {
        &self.bundle.manifest().identity
    }

    /// The directory of a role's part; nothing for a program of others.
    pub(super) fn part(&self, role: Role) -> Option<BorrowedFd<'_>> {
        self.parts.get(&role).map(AsFd::as_fd)
    }
}

/// A change under way: what is waited for, from whom, and how long.
#[derive(Debug)]
pub(super) struct Change {
    /// The step that the change has reached.
    pub(super) stage: Stage,
    awaited: BTreeSet<Role>,
    /// The moment from which silence has an effect.
    pub(super) deadline: Instant,
}

/// The steps of a change.
#[derive(Debug)]
pub(super) enum Stage {
    /// The roles read the bundle on offer: silence becomes a refusal.
    Offered(Box<Held>),
    /// The bundle of this identity is in force, and the roles go over to it: one that is silent is ended
    /// and started again.
    Switching(String),
    /// Those that were silent have been ended: the last wait before the change counts as failed.
    Insisting(String),
}

impl Change {
    /// Offers a bundle to these roles.
    pub(super) fn offer(held: Held, awaited: BTreeSet<Role>) -> Self {
        Self { stage: Stage::Offered(Box::new(held)), awaited, deadline: Instant::now() + PATIENCE }
    }

    /// The bundle of this identity is in force for these roles; each has to say that it runs it.
    pub(super) fn switch(identity: String, awaited: BTreeSet<Role>) -> Self {
        Self { stage: Stage::Switching(identity), awaited, deadline: Instant::now() + SWITCH }
    }

    /// Waits once more, for those whose processes were ended.
    pub(super) fn insist(self) -> Self {
        let stage = match self.stage {
            Stage::Switching(identity) => Stage::Insisting(identity),
            other => other,
        };
        Self { stage, awaited: self.awaited, deadline: Instant::now() + PATIENCE }
    }

    /// One role has answered; gives whether all have.
    pub(super) fn answered(&mut self, role: Role) -> bool {
        self.awaited.remove(&role);
        self.awaited.is_empty()
    }

    /// Whether a role still has to answer.
    pub(super) fn awaits(&self, role: Role) -> bool {
        self.awaited.contains(&role)
    }

    /// The identity of the bundle on offer; nothing when it is in force already.
    pub(super) fn offered(&self) -> Option<&str> {
        match &self.stage {
            Stage::Offered(held) => Some(held.identity()),
            Stage::Switching(_) | Stage::Insisting(_) => None,
        }
    }

    /// The roles that have not answered, in words for a person.
    pub(super) fn silent(&self) -> String {
        self.awaited.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
    }
}

/// How long a role may take to read a bundle, or to start with it: seeds of 100,000 users take seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a role may take to go over to what it has prepared, which is one assignment.
const SWITCH: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_ready_when_the_last_role_has_answered() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("bundle");
        Bundle::new(1, "mail.example.org", Vec::new(), Vec::new()).write(&place).unwrap();
        let asked = BTreeSet::from([Role::Smtpd, Role::Queued]);
        let mut change = Change::offer(Held::open(&place).unwrap(), asked);
        assert!(change.offered().is_some());
        assert!(!change.answered(Role::Smtpd) && change.awaits(Role::Queued));
        assert_eq!(change.silent(), "queued");
        assert!(change.answered(Role::Queued));
        fs::write(place.join("stray"), "").unwrap();
        fs::write(place.join("manifest.json"), "{}").unwrap();
        assert!(Held::open(&place).is_err());
    }

    #[test]
    fn a_switch_insists_once_with_those_that_are_left() {
        let mut change = Change::switch("new".to_owned(), BTreeSet::from([Role::Smtpd, Role::Queued]));
        assert!(!change.answered(Role::Queued) && change.offered().is_none());
        let change = change.insist();
        assert!(matches!(&change.stage, Stage::Insisting(identity) if identity == "new"));
        assert_eq!(change.silent(), "smtpd");
    }
}
