//! Records to publish and to withdraw, and when: mail that is signed with a key nobody can look up is as good as unsigned, and
//! mail that was signed is still on its way when the key goes.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_blueprint::{Blueprint, Kind, ObjectId, Purpose, Zone, ZoneRecord};
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
    /// What it is there for.
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

/// Which comes first, the record or the node.
const fn when(purpose: Purpose, action: Action) -> When {
    match (purpose, action) {
        // What others hold against our mail has to be there before the mail is, and as long as any is under way; and the
        // zone it is in.
        (Purpose::Dkim | Purpose::Spf | Purpose::Tlsa, Action::Remove) => When::AfterQueueLifetime,
        (Purpose::NameServer | Purpose::Delegation, Action::Remove) => When::AfterQueueLifetime,
        (Purpose::Dkim | Purpose::Spf | Purpose::Tlsa, _) => When::BeforeApply,
        (Purpose::NameServer | Purpose::Delegation, _) => When::BeforeApply,
        // Mail that fails is judged by it; it holds nothing against mail that is in order.
        (Purpose::Dmarc | Purpose::DmarcAuthorisation, Action::Remove) => When::AfterQueueLifetime,
        // An authority is asked for certificates while the node obeys a state.
        (Purpose::Caa, Action::Remove) => When::AfterApply,
        (Purpose::Caa, _) => When::BeforeApply,
        // Nobody is sent where nothing answers: withdrawn before, published after.
        (_, Action::Remove) => When::BeforeApply,
        (_, Action::Add | Action::Change) => When::AfterApply,
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

/// Values by name and type, and what each is there for.
type Sets<'a> = BTreeMap<(&'a str, &'a str), BTreeMap<&'a str, Purpose>>;

fn zone(name: &str, before: Option<&Zone>, after: Option<&Zone>, place: &At<'_>, found: &mut Vec<DnsChange>) {
    let ttl = after.or(before).map_or(0, |zone| zone.ttl);
    let (earlier, later) = (sets(before), sets(after));
    let keys: BTreeSet<_> = earlier.keys().chain(later.keys()).copied().collect();
    let none = BTreeMap::new();
    for (owner, kind) in keys {
        let one = earlier.get(&(owner, kind)).unwrap_or(&none);
        let two = later.get(&(owner, kind)).unwrap_or(&none);
        let gone: Vec<_> = one.iter().filter(|(value, _)| !two.contains_key(*value)).collect();
        let come: Vec<_> = two.iter().filter(|(value, _)| !one.contains_key(*value)).collect();
        let mut add = |action: Action, (value, purpose): (&&str, &Purpose), before: Option<&str>| {
            found.push(DnsChange {
                action,
                zone: name.to_owned(),
                name: if owner == "@" { name.to_owned() } else { format!("{owner}.{name}") },
                kind: kind.to_owned(),
                value: (*value).to_owned(),
                before: before.map(str::to_owned),
                ttl,
                when: when(*purpose, action),
                purpose: *purpose,
                place: place(owner, kind),
            });
        };
        // One text for another: of SPF and the like there may be one only, so that both at once is no way.
        if let ([(old, was)], [new]) = (&gone[..], &come[..])
            && *was == new.1
        {
            add(Action::Change, *new, Some(old));
            continue;
        }
        come.iter().for_each(|record| add(Action::Add, *record, None));
        gone.iter().for_each(|record| add(Action::Remove, *record, None));
    }
}

fn sets(zone: Option<&Zone>) -> Sets<'_> {
    let mut sets = Sets::new();
    for ZoneRecord { name, kind, value, purpose } in zone.iter().flat_map(|zone| &zone.records) {
        sets.entry((name, kind)).or_default().insert(value, *purpose);
    }
    sets
}
