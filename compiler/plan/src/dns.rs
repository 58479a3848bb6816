//! Records to publish and to withdraw, and when. Mail signed with a key that nobody can look up is as good as unsigned,
//! and mail that was signed may still be on its way when the key goes.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_blueprint::{Blueprint, Kind, ObjectId, Purpose, Zone, ZoneRecord};
use postkiln_findings::Place;
use serde::Serialize;

use crate::Places;
use crate::change::Action;

/// A record to publish, to change or to withdraw.
#[derive(Clone, Debug)]
pub struct DnsChange {
    /// Whether the record is published, changed or withdrawn.
    pub action: Action,
    /// The zone that holds the record.
    pub zone: String,
    /// The record's full name, without a final dot.
    pub name: String,
    /// The record's type: `TXT`, `MX`, ….
    pub kind: String,
    /// The new data; for removals, the old data.
    pub value: String,
    /// The old data, for a change.
    pub before: Option<String>,
    /// Time to live, in seconds.
    pub ttl: u32,
    /// The right time for it.
    pub when: When,
    /// The purpose of the record.
    pub purpose: Purpose,
    /// The place where the record, or the thing it is made from, is written.
    pub place: Option<Place>,
}

/// When a record is to be published or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before the node follows, early enough to be visible by then.
    BeforeApply,
    /// Once the node obeys the new state.
    AfterApply,
    /// When no mail is under way any more that needs the record.
    AfterQueueLifetime,
}

/// The right time for a record: before or after the node follows.
const fn when(purpose: Purpose, action: Action) -> When {
    match (purpose, action) {
        // Records by which others judge our mail, and the zone they are in, must be there before such mail is sent, and
        // as long as any is under way.
        (Purpose::Dkim | Purpose::Spf | Purpose::Tlsa, Action::Remove) => When::AfterQueueLifetime,
        (Purpose::NameServer | Purpose::Delegation, Action::Remove) => When::AfterQueueLifetime,
        (Purpose::Dkim | Purpose::Spf | Purpose::Tlsa, _) => When::BeforeApply,
        (Purpose::NameServer | Purpose::Delegation, _) => When::BeforeApply,
        // Failing mail is judged by these records; they do no harm to mail that is in order.
        (Purpose::Dmarc | Purpose::DmarcAuthorisation, Action::Remove) => When::AfterQueueLifetime,
        // An authority is asked for certificates while the node obeys a state.
        (Purpose::Caa, Action::Remove) => When::AfterApply,
        (Purpose::Caa, _) => When::BeforeApply,
        // Clients must never be sent to a server that does not answer: such records are withdrawn before, published
        // after.
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

/// Finds the place of a record by its name in the zone and its type.
type At<'a> = dyn Fn(&str, &str) -> Option<Place> + 'a;

/// Values by name and type, with the purpose of each.
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
        // One text replaces another: there may be only one record of SPF and the like, so both at once are no option.
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
