//! One order for what has none: members, targets and records stand in the order of their names, however a person wrote them.
//! So the order of a site's lines is no change to a plan, and not a byte of the bundle's instructions.

use crate::model::{Blueprint, List, MailDomain, Zone, ZoneRecord};

/// Sorts, and drops what stands twice.
pub(super) fn put(blueprint: &mut Blueprint) {
    set(&mut blueprint.operators);
    blueprint.moved.sort_by(|one, two| (&one.from, &one.to).cmp(&(&two.from, &two.to)));
    blueprint.domains.values_mut().for_each(domain);
    for Zone { records, .. } in blueprint.zones.values_mut() {
        records.sort_by(|one, two| record(one).cmp(&record(two)));
    }
}

fn domain(mail: &mut MailDomain) {
    mail.aliases.values_mut().for_each(set);
    for forward in mail.users.values_mut().filter_map(|user| user.forward.as_mut()) {
        set(&mut forward.to);
    }
    for list in mail.lists.values_mut() {
        let List { members, moderators, allow, deny, mime_remove, mime_reject, header_remove, .. } = list;
        [members, moderators, allow, deny].into_iter().for_each(set);
        // Added header lines stand in a post as they were written.
        [mime_remove, mime_reject, header_remove].into_iter().for_each(set);
    }
}

fn set<T: Ord>(items: &mut Vec<T>) {
    items.sort();
    items.dedup();
}

/// The zone itself first, and what makes it a zone first of all.
fn record(record: &ZoneRecord) -> (bool, &str, bool, &str, &str) {
    (record.name != "@", &record.name, record.kind != "NS", &record.kind, &record.value)
}
