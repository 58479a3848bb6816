//! Two texts of `blueprint.json` side by side: of 100,000 users a plan decodes only those whose lines differ. Knows the
//! lines that `model` prints, and nothing about what stands in them. Start at [`without_same`].

use std::collections::{BTreeMap, BTreeSet};

use postkiln_address::LocalPart;
use postkiln_blueprint::Touched;

/// A text that was made smaller, and the names of what is left of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Smaller {
    /// The old text without the lines that the new one has too: a whole blueprint, in which those things are missing.
    pub text: Vec<u8>,
    /// Things with addresses that are not the same in both texts, of domains that both have.
    pub touched: Touched,
}

/// Leaves out of `old` the things with addresses that `new` has in the very same words. `None` when one of the texts
/// does not have its things on lines of their own, as those of other versions may.
#[must_use]
pub fn without_same(old: &[u8], new: &[u8]) -> Option<Smaller> {
    let (old, new) = (std::str::from_utf8(old).ok()?, std::str::from_utf8(new).ok()?);
    let later: BTreeMap<(&str, &str), &str> =
        parts(new).filter_map(|part| part.section().map(|section| (section, part.rows))).collect();
    let mut text = String::new();
    let mut touched = Touched::new();
    for part in parts(old) {
        text.push_str(part.head);
        let section = part.section();
        let rows = section.and_then(|section| later.get(&section));
        let (Some((domain, section)), Some(rows)) = (section, rows) else {
            text.push_str(part.rows);
            continue;
        };
        let (before, after) = different(part.rows, rows);
        let mut names: Vec<LocalPart> = before.iter().chain(&after).map(|row| name(row)).collect::<Option<_>>()?;
        names.sort();
        names.dedup();
        touched.entry(domain.parse().ok()?).or_default().insert(section.to_owned(), names);
        text.push_str(&before.join(",\n"));
        text.push_str(if before.is_empty() { "" } else { "\n" });
    }
    Some(Smaller { text: text.into_bytes(), touched })
}

/// A part of a text: lines that are no rows, then rows.
struct Part<'a> {
    head: &'a str,
    rows: &'a str,
    /// The names that lead to the rows: `domains`, a domain, a section of it.
    path: [&'a str; 3],
}

impl<'a> Part<'a> {
    /// The domain and the section whose rows these are.
    fn section(&self) -> Option<(&'a str, &'a str)> {
        let [top, domain, section] = self.path;
        (top == "domains" && SECTIONS.contains(&section) && !self.rows.is_empty()).then_some((domain, section))
    }
}

/// The parts of a text in order; together they are the whole text.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    let mut path = [""; 3];
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut at = 0;
        for line in rest.split_inclusive('\n').take_while(|line| !is_row(line)) {
            at += line.len();
            let depth = line.len() - line.trim_start_matches(' ').len();
            if let (Some(place), Some(key)) = (depth.checked_sub(1).and_then(|depth| path.get_mut(depth)), key(line)) {
                *place = key;
            }
        }
        let (head, more) = rest.split_at_checked(at)?;
        let length = more.split_inclusive('\n').take_while(|line| is_row(line)).map(str::len).sum();
        let (rows, more) = more.split_at_checked(length)?;
        rest = more;
        Some(Part { head, rows, path })
    })
}

/// Whether a line is a thing of its own, four levels deep.
fn is_row(line: &str) -> bool {
    line.starts_with("    \"")
}

/// The name at the beginning of a line, without quotes; names with escapes are nobody's whom we look for.
fn key(line: &str) -> Option<&str> {
    line.trim_start_matches(' ').strip_prefix('"')?.split_once("\":").map(|(key, _)| key)
}

/// The local part of a row.
fn name(row: &str) -> Option<LocalPart> {
    LocalPart::new(key(row)?).ok()
}

/// The rows of each side that the other does not have, without commas at their ends.
fn different<'a>(old: &'a str, new: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let rows = |text: &'a str| text.lines().map(|row| row.strip_suffix(',').unwrap_or(row));
    // As a rule few rows differ: what both begin and end with is passed over.
    let same = rows(old).zip(rows(new)).take_while(|(one, other)| one == other).count();
    let (mut old, mut new): (Vec<&str>, Vec<&str>) = (rows(old).skip(same).collect(), rows(new).skip(same).collect());
    while old.last().is_some_and(|row| new.last() == Some(row)) {
        old.pop();
        new.pop();
    }
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) =
        (old.iter().copied().collect(), new.iter().copied().collect());
    old.retain(|row| !after.contains(row));
    new.retain(|row| !before.contains(row));
    (old, new)
}

/// The sections of a domain that hold things by their local parts.
const SECTIONS: [&str; 4] = ["users", "aliases", "lists", "responders"];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::pretty;

    fn site(users: &Value, more: &Value) -> Value {
        json!({ "version": 1, "hostname": "a",
            "domains": { "a.example": { "postmaster": "x", "users": users, "limits": { "users": null } }, "b.example": more },
            "zones": { "a.example": { "records": [{ "name": "x" }] } } })
    }

    #[test]
    fn only_rows_that_differ_are_left() {
        let old = site(
            &json!({ "ada": {"q": 1}, "bo": {"q": 1}, "cy": {"q": 1}, "di": {} }),
            &json!({ "users": { "ada": 1 } }),
        );
        let new =
            site(&json!({ "ada": {"q": 1}, "bo": {"q": 2}, "cz": {}, "di": {} }), &json!({ "users": { "ada": 1 } }));
        let found = without_same(&pretty(&old).unwrap(), &pretty(&new).unwrap()).unwrap();
        let left = site(&json!({ "bo": {"q": 1}, "cy": {"q": 1} }), &json!({ "users": {} }));
        assert_eq!(serde_json::from_slice::<Value>(&found.text).unwrap(), left);
        let local = |name: &str| LocalPart::new(name).unwrap();
        let touched = &found.touched[&"a.example".parse().unwrap()];
        assert_eq!(touched["users"], ["bo", "cy", "cz"].map(local));
        assert_eq!(touched.len(), 1, "the limits stay whole: {touched:?}");
        assert!(found.touched[&"b.example".parse().unwrap()]["users"].is_empty());
    }

    #[test]
    fn sections_that_one_side_lacks_stay_whole() {
        let old = site(&json!({ "ada": {} }), &json!({ "users": {} }));
        let new = site(&json!({}), &json!({ "users": { "bo": {} } }));
        for (one, other) in [(&old, &new), (&new, &old)] {
            let found = without_same(&pretty(one).unwrap(), &pretty(other).unwrap()).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&found.text).unwrap(), *one);
            assert!(found.touched.is_empty());
        }
    }
}
