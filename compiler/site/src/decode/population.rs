//! `users_from`, `aliases_from`, `members_from`: people, aliases and members of lists in files beside the site. Their
//! rows are judged by the functions that judge values written in the site. Start at [`both`].

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};

use crate::answer::Value;
use crate::beneath::BeneathError;
use crate::decode::declared::{by_local_part, twice, unnamed};
use crate::decode::fields::Fields;
use crate::decode::walker::{At, Walker};
use crate::lines::Lines;
use crate::population::{Fault, Format, Record, Table};
use crate::{Gap, Place, Placed, Target, codes, source};

/// Reads one entry of a map, written in the site or in a file.
type Decode<'d, T> = &'d dyn Fn(&Walker<'_>, &At<'_>, &LocalPart) -> Option<T>;

/// A domain's map, written in the site, in files, or in both, as far as it can be read; `names` are those of
/// the two fields.
pub(super) fn both<T>(
    walker: &Walker<'_>,
    fields: &Fields<'_>,
    names: (&'static str, &'static str),
    table: Table,
    home: &Domain,
    decode: Decode<'_, T>,
) -> BTreeMap<LocalPart, Placed<T>> {
    let (inline, from) = names;
    let what = format!("the {inline}");
    let written =
        fields.optional(inline, |at| by_local_part(walker, at, &what, home, |at, local| decode(walker, at, local)));
    let mut complete = written.is_some() && !fields.is_misspelt(from);
    let mut map = written.flatten().unwrap_or_default();
    if let Some(at) = fields.get(from) {
        complete &= add(walker, &at, table, &mut map, decode);
    }
    if !complete {
        // A row or a column that cannot be read may say anything about the others.
        let gaps = [Gap::Names(home.clone()), Gap::Person(home.clone(), None), Gap::Quotas(home.clone())];
        gaps.into_iter().for_each(|gap| walker.gap(gap));
    }
    map
}

/// Adds the rows of the files named at `at` to `map`; `decode` reads each row. False when there may be further names.
fn add<T>(
    walker: &Walker<'_>,
    at: &At<'_>,
    table: Table,
    map: &mut BTreeMap<LocalPart, Placed<T>>,
    decode: Decode<'_, T>,
) -> bool {
    each_file(walker, at, &mut |path| {
        let Some(format) = Format::of(&path.value) else {
            let hint = "a population is a file ending in .csv, or in .jsonl: one JSON object a line";
            let message = format!("{:?} is not the name of a population", path.value);
            walker.report(codes::NO_POPULATION, message, &path.place, Some(hint));
            return false;
        };
        let mut is_empty = true;
        let complete = with_file(walker, path, &mut |inner, bytes| {
            let mut complete = true;
            let mut rows = Vec::new();
            walker.rows(bytes, format, table, &mut |row| match row {
                Ok(record) => match self::row(inner, &record, decode) {
                    Some(row) => rows.push(row),
                    None => complete = false,
                },
                Err(fault) => complete &= report(inner, &fault),
            });
            is_empty = rows.is_empty();
            add_rows(inner, rows, map);
            complete
        });
        if complete && is_empty {
            walker.report(codes::NOBODY, format!("the file {:?} holds nobody", path.value), &path.place, None);
        }
        complete
    })
}

/// The addresses in the files named at `at`, one a line.
pub(super) fn addresses(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<Vec<Placed<Target>>> {
    let mut found = Vec::new();
    let complete = each_file(walker, at, &mut |path| {
        with_file(walker, path, &mut |inner, bytes| {
            let mut complete = true;
            walker.addresses(bytes, &mut |line| match line {
                Ok(node) => match inner.target(&inner.root(&node), home) {
                    Some(target) => found.push(target),
                    None => complete = false,
                },
                Err(fault) => complete &= report(inner, &fault),
            });
            complete
        })
    });
    complete.then_some(found)
}

/// Goes through the names of files at `at`: one, or a list of several. False when something is wrong.
fn each_file(walker: &Walker<'_>, at: &At<'_>, take: &mut dyn FnMut(&Placed<String>) -> bool) -> bool {
    let names = if matches!(at.node.value, Value::List(_)) { walker.list(at, "names of files") } else { None };
    let names = names.unwrap_or_else(|| vec![at.clone()]);
    let mut seen: Vec<Placed<String>> = Vec::new();
    let mut complete = true;
    for name in &names {
        let Some(path) = walker.line(name, "the name of a file beside site.ncl") else {
            complete = false;
            continue;
        };
        if let Some(first) = seen.iter().find(|other| other.value == path.value) {
            walker.twice(format!("the file {:?} is named twice", path.value), &path.place, &first.place, None);
            complete = false;
            continue;
        }
        complete &= take(&path);
        seen.push(path);
    }
    complete
}

/// Reads a file and keeps it for `source/`; `take` gets its content and a walker for the findings in it.
fn with_file(walker: &Walker<'_>, path: &Placed<String>, take: &mut dyn FnMut(&Walker<'_>, &[u8]) -> bool) -> bool {
    let name = &path.value;
    let bytes = match walker.content(name) {
        Ok(bytes) => bytes,
        Err(error) => {
            let code = match &error {
                BeneathError::Outside => codes::IMPORT,
                BeneathError::Ended(ended) => ended.words().0,
                _ => codes::UNREADABLE,
            };
            let hint = error.hint("put the file beside site.ncl");
            walker.report(code, format!("{name:?} {error}"), &path.place, Some(hint));
            return false;
        }
    };
    let lines = Lines::of(name, &bytes);
    let inner = walker.beside(&lines, MOST_FINDINGS);
    let complete = take(&inner, &bytes);
    walker.read.borrow_mut().insert(name.clone(), source::blanked(&bytes, &inner.hidden(), 0));
    walker.absorb(inner);
    complete
}

/// A row of a table that may have a hundred thousand of them.
type Row<T> = (LocalPart, Placed<T>);

fn row<T>(walker: &Walker<'_>, record: &Record, decode: Decode<'_, T>) -> Option<Row<T>> {
    let place = walker.place(record.place);
    let key = walker.local_part(&record.key, &place);
    // Beside a name that is none there may be further mistakes.
    let value = decode(walker, &walker.root(&record.node), key.as_ref().or(unnamed().as_ref())?);
    Some((key?, Placed { value: value?, place }))
}

/// Adds rows, given in the order of their file, all at once: a map that is made of sorted rows takes half the memory of
/// one that grows row by row. A name that stands twice is reported.
fn add_rows<T>(walker: &Walker<'_>, mut rows: Vec<Row<T>>, map: &mut BTreeMap<LocalPart, Placed<T>>) {
    let mut again: Vec<(LocalPart, Place, Place)> = Vec::new();
    if !map.is_empty() {
        rows.retain(|(name, row)| {
            let first = map.get(name);
            again.extend(first.map(|first| (name.clone(), row.place.clone(), first.place.clone())));
            first.is_none()
        });
    }
    // The sort is stable: of two equal names the first stays first.
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    rows.dedup_by(|(name, row), (last, first)| {
        let is_again = name == last;
        if is_again {
            again.push((name.clone(), row.place.clone(), first.place.clone()));
        }
        is_again
    });
    map.append(&mut rows.into_iter().collect());
    again.sort_by(|(_, one, _), (_, other, _)| one.cmp(other));
    for (name, place, first) in &again {
        twice(walker, name, place, first);
    }
}

/// Records a fault; always false.
fn report(walker: &Walker<'_>, fault: &Fault) -> bool {
    walker.report(fault.code, fault.message.clone(), &walker.place(fault.span), fault.hint.as_deref());
    false
}

/// The largest number of findings of one code in one file: more at once are of no use.
const MOST_FINDINGS: usize = 10;
