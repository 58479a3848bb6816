//! The node's reaction to a change. A role acts when files that it reads differ; how it acts is what the table of
//! impacts says of the fields that flow into those files. Names of fields only explain; they trigger nothing.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_blueprint::impact::{self, Class, Units};
use postkiln_blueprint::{Kind, ObjectId};
use postkiln_bundle::{FileEntry, Manifest, Role, Service, paths};

use crate::Side;
use crate::change::{Action, Attribute, Change};

/// The node's reaction to a plan.
#[derive(Clone, Debug)]
pub struct Impact {
    /// The most disturbing class of all units.
    pub class: Class,
    /// Roles that act, in the order in which they start.
    pub units: Vec<Unit>,
    /// Files of the bundle that differ and are read by the node.
    pub artefacts: Vec<Artefact>,
}

/// A role that acts because of the changes.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The role's name.
    pub role: Role,
    /// The way it acts.
    pub class: Class,
    /// The reasons: fields of the most disturbing class, as `domain/example.org:catch_all`; without such fields, files.
    pub because: Vec<String>,
}

impl Unit {
    /// Adds a reason; only those of the most disturbing class are kept.
    fn flow(&mut self, class: Class, because: String, follows: bool) {
        if class > self.class {
            self.because.clear();
            self.class = class;
        } else if class < self.class || (follows && !self.because.is_empty()) || self.because.contains(&because) {
            return;
        }
        self.because.push(because);
    }
}

/// A file of the bundle that differs.
#[derive(Clone, Debug)]
pub struct Artefact {
    /// The path of the file in the bundle.
    pub path: String,
    /// SHA-256 of the old file in hex; `None`: there was none.
    pub before: Option<String>,
    /// SHA-256 of the new file in hex; `None`: there is none.
    pub after: Option<String>,
    /// The number of octets by which the file grows.
    pub growth: i64,
    /// The roles that read the file.
    pub readers: Vec<Role>,
}

/// The node's reaction to these changes.
pub(crate) fn impact(base: &Side<'_>, new: &Side<'_>, changes: &[Change]) -> Impact {
    let services: Vec<Service> = base.manifest.services.iter().chain(&new.manifest.services).cloned().collect();
    let artefacts = artefacts(base.manifest, new.manifest, &services);
    let mut acting: BTreeMap<Role, Unit> = BTreeMap::new();
    for artefact in &artefacts {
        for role in &artefact.readers {
            acting.entry(*role).or_insert_with(|| Unit { role: *role, class: Class::None, because: Vec::new() });
        }
    }
    for role in table_differs(base.manifest, new.manifest) {
        acting.entry(role).or_insert_with(|| Unit { role, class: Class::None, because: Vec::new() });
    }
    // Written changes are given as reasons; a change that follows from others is one only where there is no other.
    let (follow, written): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|change| change.follows());
    for change in written.into_iter().chain(follow) {
        for (role, class, because) in flows(change, &services).into_iter().chain(rename(change, &artefacts)) {
            if let Some(unit) = acting.get_mut(&role) {
                unit.flow(class, because, change.follows());
            }
        }
    }
    for unit in acting.values_mut().filter(|unit| unit.because.is_empty()) {
        unexplained(unit, &artefacts);
    }
    let units: Vec<Unit> = Role::ALL.into_iter().filter_map(|role| acting.remove(&role)).collect();
    Impact { class: units.iter().map(|unit| unit.class).max().unwrap_or(Class::None), units, artefacts }
}

/// Roles and classes that a change flows into.
fn flows(change: &Change, services: &[Service]) -> Vec<(Role, Class, String)> {
    let mut found = Vec::new();
    let whole = matches!(change.id.kind(), Kind::Listener | Kind::Service) && change.action != Action::Change;
    for attribute in &change.attributes {
        for role in roles(&change.id, attribute, services) {
            let because = match (whole, change.action) {
                (true, _) | (_, Action::Add | Action::Remove) => change.id.to_string(),
                _ => format!("{}:{}", change.id, attribute.dotted()),
            };
            // A listener that comes or goes opens or closes a socket, whatever it speaks.
            let rebound = whole && change.id.kind() == Kind::Listener;
            found.push((role, if rebound { Class::Rebind } else { attribute.field.class }, because));
        }
    }
    found
}

/// The effect of a rename alone: for a user a row of the database, and a file where mail is forwarded; otherwise files.
fn rename(change: &Change, artefacts: &[Artefact]) -> Vec<(Role, Class, String)> {
    if change.from.is_none() {
        return Vec::new();
    }
    let instructions = format!("/.qmail-{}", change.id.local().unwrap_or_default().replace('.', ":"));
    let is_row = change.id.kind() == Kind::User && !artefacts.iter().any(|file| file.path.ends_with(&instructions));
    let class = if is_row { Class::Data } else { Class::Swap };
    let roles: &[Role] = match change.id.kind() {
        Kind::List | Kind::Autoresponder => &[Role::Directoryd, Role::Local],
        _ => &[Role::Directoryd],
    };
    roles.iter().map(|role| (*role, class, change.id.to_string())).collect()
}

fn roles(id: &ObjectId, attribute: &Attribute, services: &[Service]) -> Vec<Role> {
    match attribute.field.units {
        Units::These(roles) => roles.to_vec(),
        Units::Readers => impact::readers(&paths::control(id.name()), services),
        Units::Owner if id.kind() == Kind::Listener => {
            let opens = |service: &&Service| service.listeners.iter().any(|one| one.name == id.name());
            services.iter().filter(opens).map(|service| service.role).collect::<BTreeSet<_>>().into_iter().collect()
        }
        Units::Owner => id.name().parse().into_iter().collect(),
    }
}

/// A reason when files differ and no field does: this compiler prints them differently than the one that made the base.
fn unexplained(unit: &mut Unit, artefacts: &[Artefact]) {
    unit.class = if matches!(unit.role, Role::Clamd | Role::Freshclam) { Class::Restart } else { Class::Swap };
    let read = artefacts.iter().filter(|artefact| artefact.readers.contains(&unit.role));
    unit.because = read.map(|artefact| artefact.path.clone()).collect();
}

/// Roles whose line of the service table differs.
fn table_differs(base: &Manifest, new: &Manifest) -> BTreeSet<Role> {
    let lines = |manifest: &Manifest| -> BTreeMap<Role, Service> {
        manifest.services.iter().map(|service| (service.role, service.clone())).collect()
    };
    let (base, new) = (lines(base), lines(new));
    base.keys().chain(new.keys()).filter(|role| base.get(role) != new.get(role)).copied().collect()
}

/// Files that differ, by a walk through both sorted tables of contents.
fn artefacts(base: &Manifest, new: &Manifest, services: &[Service]) -> Vec<Artefact> {
    let mut found = Vec::new();
    let (mut earlier, mut later) = (base.files.iter().peekable(), new.files.iter().peekable());
    loop {
        let order = match (earlier.peek(), later.peek()) {
            (None, None) => return found,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(two)) => one.path.cmp(&two.path),
        };
        let before = if order.is_le() { earlier.next() } else { None };
        let after = if order.is_ge() { later.next() } else { None };
        if before.map(|file| &file.sha256) != after.map(|file| &file.sha256) {
            found.extend(artefact(before, after, services));
        }
    }
}

fn artefact(before: Option<&FileEntry>, after: Option<&FileEntry>, services: &[Service]) -> Option<Artefact> {
    let path = &before.or(after)?.path;
    let readers = impact::readers(path, services);
    let size = |file: Option<&FileEntry>| file.map_or(0, |file| i64::try_from(file.size).unwrap_or(i64::MAX));
    (!readers.is_empty()).then(|| Artefact {
        path: path.clone(),
        before: before.map(|file| file.sha256.clone()),
        after: after.map(|file| file.sha256.clone()),
        growth: size(after) - size(before),
        readers,
    })
}
