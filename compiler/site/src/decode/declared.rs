//! Maps from names that a site declares: each name once, whatever its letters.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;

use postkiln_address::{Domain, LocalPart};

use crate::decode::walker::{At, Walker};
use crate::{Gap, Place, Placed};

/// Decodes a map whose keys are local parts. A key that is none, and may have been meant as one, is a gap.
pub(super) fn by_local_part<T>(
    walker: &Walker<'_>,
    at: &At<'_>,
    what: &str,
    home: &Domain,
    decode: impl Fn(&At<'_>, &LocalPart) -> Option<T>,
) -> Option<BTreeMap<LocalPart, Placed<T>>> {
    let mut map = BTreeMap::new();
    for named in walker.entries(at, what)? {
        let key = walker.local_part(named.name, &named.place);
        // Below a name that is none there may be further mistakes.
        let value = decode(&named.value, &key.clone().or_else(unnamed)?);
        match (key, value) {
            (Some(key), Some(value)) => insert_once(walker, &mut map, key, Placed { value, place: named.place }),
            _ => walker.gap(Gap::Names(home.clone())),
        }
    }
    Some(map)
}

/// Stands for a local part that cannot be read.
pub(super) fn unnamed() -> Option<LocalPart> {
    LocalPart::new("unnamed").ok()
}

/// Adds to a map; the same name in other letters is recorded as an error, with both places, and left out.
pub(super) fn insert_once<K: Ord + Display, V>(
    walker: &Walker<'_>,
    map: &mut BTreeMap<K, Placed<V>>,
    key: K,
    value: Placed<V>,
) {
    match map.entry(key) {
        Entry::Vacant(entry) => drop(entry.insert(value)),
        Entry::Occupied(entry) => twice(walker, entry.key(), &value.place, &entry.get().place),
    }
}

/// Records that a name was declared before.
pub(super) fn twice(walker: &Walker<'_>, key: &impl Display, place: &Place, first: &Place) {
    let hint = "remove or rename one of the two; letters in upper and lower case are the same";
    walker.twice(format!("`{key}` is declared twice"), place, first, Some(hint));
}
