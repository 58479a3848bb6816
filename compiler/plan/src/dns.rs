//! Records to publish and to withdraw, and when: mail that is signed with a key nobody can look up is as good as unsigned, and
//! mail that was signed is still on its way when the key goes.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_blueprint::{Blueprint, Kind, ObjectId, Zone};
use postkiln_findings::Place;
use serde::Serialize;

use crate::Places;
use crate::change::Action;

/// A record to publish, to change or to withdraw.
#[derive(Clone, Debug)]
pub struct DnsChange {
    /// What to do.
    pub action: Action,
    /// The zone.
    pub zone: String,
    /// The full name, without a final dot.
    pub name: String,
    /// `TXT`, `MX`, ….
    pub kind: String,
    /// The new data; for removals, the old.
    pub value: String,
    /// The old data of a change.
    pub before: Option<String>,
    /// Seconds.
    pub ttl: u32,
    /// When.
    pub when: When,
    /// What it does for mail.
    pub purpose: Purpose,
    /// Where it is written, or what it is made from.
    pub place: Option<Place>,
}

/// When a record is to be published or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// And be visible before the node follows.
    BeforeApply,
    /// Once the node obeys the new state.
    AfterApply,
    /// When no mail is under way any more that needs it.
    AfterQueueLifetime,
}

/// What a record does for mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A key that signatures are checked with.
    Key,
    /// Where mail for the domain goes.
    Exchanger,
    /// Who may send, what a certificate is, who may issue one: asked by others about what we do.
    Permission,
    /// Names and services that people and programs come to.
    Way,
}

impl Purpose {
    fn of(name: &str, kind: &str, value: &str) -> Self {
        match kind {
            _ if name.split('.').any(|label| label == "_domainkey") => Self::Key,
            "MX" => Self::Exchanger,
            "TLSA" | "CAA" => Self::Permission,
            "TXT" if value.starts_with("v=spf1") => Self::Permission,
            _ => Self::Way,
        }
    }

    const fn when(self, action: Action) -> When {
        match (self, action) {
            (Self::Key, Action::Remove) => When::AfterQueueLifetime,
            (Self::Key | Self::Permission, Action::Add | Action::Change) => When::BeforeApply,
            (Self::Permission, Action::Remove) => When::AfterQueueLifetime,
            // Nobody is sent where nothing answers: withdrawn before, published after.
            (Self::Exchanger | Self::Way, Action::Remove) => When::BeforeApply,
            (Self::Exchanger | Self::Way, Action::Add | Action::Change) => When::AfterApply,
        }
    }
}

/// The records that differ, by zone and name.
pub(crate) fn changes(base: &Blueprint, new: &Blueprint, here: &dyn Places, there: &dyn Places) -> Vec<DnsChange> {
    let zones: BTreeSet<_> = base.zones.keys().chain(new.zones.keys()).collect();
    let mut found = Vec::new();
    for name in zones {
        let (before, after) = (base.zones.get(name), new.zones.get(name));
        let id = ObjectId::new(Kind::Zone, name);
        let places = if after.is_some() { here } else { there };
        let place = |owner: &str, kind: &str| {
            let whole = || places.place(&ObjectId::new(Kind::Domain, name), &[]);
            places.place(&id, &[owner, kind]).or_else(whole)
        };
        zone(name.as_str(), before, after, &place, &mut found);
    }
    found
}

/// Where a record was written, by its name in the zone and its type.
type At<'a> = dyn Fn(&str, &str) -> Option<Place> + 'a;

type Set<'a> = BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>;

fn zone(name: &str, before: Option<&Zone>, after: Option<&Zone>, place: &At<'_>, found: &mut Vec<DnsChange>) {
    let ttl = after.or(before).map_or(0, |zone| zone.ttl);
    let (earlier, later) = (sets(before), sets(after));
    let keys: BTreeSet<_> = earlier.keys().chain(later.keys()).copied().collect();
    let none = BTreeSet::new();
    for (owner, kind) in keys {
        let one = earlier.get(&(owner, kind)).unwrap_or(&none);
        let two = later.get(&(owner, kind)).unwrap_or(&none);
        let (gone, come): (Vec<_>, Vec<_>) = (one.difference(two).collect(), two.difference(one).collect());
        let mut add = |action: Action, value: &str, before: Option<&str>| {
            let purpose = Purpose::of(owner, kind, value);
            found.push(DnsChange {
                action,
                zone: name.to_owned(),
                name: if owner == "@" { name.to_owned() } else { format!("{owner}.{name}") },
                kind: kind.to_owned(),
                value: value.to_owned(),
                before: before.map(str::to_owned),
                ttl,
                when: purpose.when(action),
                purpose,
                place: place(owner, kind),
            });
        };
        if let ([old], [new]) = (&gone[..], &come[..]) {
            add(Action::Change, new, Some(old));
            continue;
        }
        come.iter().for_each(|value| add(Action::Add, value, None));
        gone.iter().for_each(|value| add(Action::Remove, value, None));
    }
}

fn sets(zone: Option<&Zone>) -> Set<'_> {
    let mut sets = Set::new();
    for record in zone.iter().flat_map(|zone| &zone.records) {
        sets.entry((&record.name, &record.kind)).or_default().insert(&record.value);
    }
    sets
}
