//! Order for lists that have none: members, targets and records are sorted by name, however a person wrote them. So the
//! order of a site's lines changes neither a plan nor a byte of the bundle's instructions.

use crate::model::{Blueprint, List, MailDomain, Zone, ZoneRecord};

/// Sorts every such list, and drops repetitions.
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
        // Added header lines are not sorted: a post has them in the order written.
        [mime_remove, mime_reject, header_remove].into_iter().for_each(set);
    }
}

fn set<T: Ord>(items: &mut Vec<T>) {
    items.sort();
    items.dedup();
}

/// The sort key of a record: the zone itself first, and first of all the records that make it a zone.
fn record(record: &ZoneRecord) -> (bool, &str, bool, &str, &str) {
    (record.name != "@", &record.name, record.kind != "NS", &record.kind, &record.value)
}
