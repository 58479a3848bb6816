//! Renames: things with another name on the other side, as the site's `moved` says. An entry whose old or new name is
//! on both sides, or on neither, is no rename now: an entry may stay in the site for ever after it has been obeyed.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_blueprint::{Blueprint, Kind, Move, ObjectId};

use crate::before::{Before, has};

/// The renames between two blueprints.
#[derive(Debug, Default)]
pub(crate) struct Renames {
    before: BTreeMap<ObjectId, ObjectId>,
    gone: BTreeSet<ObjectId>,
}

impl Renames {
    /// Entries of the new side's `moved` that take place between these two sides.
    pub(crate) fn new(base: &Before<'_>, new: &Blueprint) -> Self {
        let mut renames = Self::default();
        for Move { from, to } in &new.moved {
            if base.has(from) && !base.has(to) && !has(new, from) && has(new, to) {
                renames.gone.insert(from.clone());
                renames.before.insert(to.clone(), from.clone());
            }
        }
        renames
    }

    /// The name that a thing had on the old side, if it was renamed.
    pub(crate) fn before(&self, id: &ObjectId) -> Option<&ObjectId> {
        self.before.get(id)
    }

    /// The name that a thing's domain has on the new side.
    pub(crate) fn domain_now(&self, id: &ObjectId) -> String {
        let domain = id.domain().unwrap_or_default();
        let renamed = self.before.iter().find(|(_, from)| from.kind() == Kind::Domain && from.name() == domain);
        renamed.map_or(domain, |(to, _)| to.name()).to_owned()
    }

    /// Whether this name was given up for another one.
    pub(crate) fn is_gone(&self, id: &ObjectId) -> bool {
        self.gone.contains(id)
    }
}
