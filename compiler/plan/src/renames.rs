//! Which things have another name on the other side, as the site's `moved` says. What both sides or neither have under
//! either name is no rename: an entry that has been obeyed may stay in the site for ever.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_address::{Domain, LocalPart};
use postkiln_blueprint::{Blueprint, Kind, Move, ObjectId};

/// The renames between two blueprints.
#[derive(Debug, Default)]
pub(crate) struct Renames {
    before: BTreeMap<ObjectId, ObjectId>,
    gone: BTreeSet<ObjectId>,
}

impl Renames {
    /// Those of the new side's `moved` that take place now.
    pub(crate) fn new(base: &Blueprint, new: &Blueprint) -> Self {
        let mut renames = Self::default();
        for Move { from, to } in &new.moved {
            if has(base, from) && !has(base, to) && !has(new, from) && has(new, to) {
                renames.gone.insert(from.clone());
                renames.before.insert(to.clone(), from.clone());
            }
        }
        renames
    }

    /// The name a thing had.
    pub(crate) fn before(&self, id: &ObjectId) -> Option<&ObjectId> {
        self.before.get(id)
    }

    /// The name that the domain of a thing has now.
    pub(crate) fn domain_now(&self, id: &ObjectId) -> String {
        let domain = id.domain().unwrap_or_default();
        let renamed = self.before.iter().find(|(_, from)| from.kind() == Kind::Domain && from.name() == domain);
        renamed.map_or(domain, |(to, _)| to.name()).to_owned()
    }

    /// Whether this name was given up for another.
    pub(crate) fn is_gone(&self, id: &ObjectId) -> bool {
        self.gone.contains(id)
    }
}

fn has(side: &Blueprint, id: &ObjectId) -> bool {
    let found = || {
        let mail = side.domains.get(&id.domain()?.parse::<Domain>().ok()?)?;
        let local = id.local().and_then(|local| LocalPart::new(local).ok());
        Some(match (id.kind(), local) {
            (Kind::Domain, _) => true,
            (Kind::User, Some(local)) => mail.users.contains_key(&local),
            (Kind::List, Some(local)) => mail.lists.contains_key(&local),
            (Kind::Autoresponder, Some(local)) => mail.responders.contains_key(&local),
            _ => false,
        })
    };
    found().unwrap_or(false)
}
