//! Values of fields in a few words.

use std::collections::BTreeSet;

use postkiln_blueprint::{Kind, List};
use postkiln_site::size_text;
use serde_json::Value;

use crate::change::{Action, Attribute, Change};
use crate::dns::{DnsChange, When};
use crate::words::counted;

/// The difference of a field: `quota 2 GiB -> 5 GiB`, `members +2 -1 (1204 total)`.
pub(crate) fn difference(attribute: &Attribute, full: bool) -> String {
    let words = words(attribute, full);
    if is_unnamed(attribute) { words } else { format!("{} {words}", attribute.dotted()) }
}

fn words(attribute: &Attribute, full: bool) -> String {
    if attribute.is_sensitive() {
        let kind = |side: &Option<Value>| side.as_ref().and_then(Value::as_str).unwrap_or("nothing").to_owned();
        let (before, after) = (kind(&attribute.before), kind(&attribute.after));
        return if before == after { format!("{after} changed") } else { format!("{before} -> {after}") };
    }
    if let Some(set) = set_difference(attribute, full) {
        return set;
    }
    let name = attribute.path.last().map_or("", String::as_str);
    let side = |side: &Option<Value>| side.as_ref().map_or("nothing".to_owned(), |value| shown(name, value, full));
    format!("{} -> {}", side(&attribute.before), side(&attribute.after))
}

/// The fields of a thing that comes or goes: `quota 2 GiB, forward.to a@b.example`. Values that every such thing has
/// are left out.
pub(crate) fn summary(change: &Change, full: bool) -> String {
    let mut parts = Vec::new();
    let usual = if change.id.kind() == Kind::List { serde_json::to_value(List::default()).ok() } else { None };
    for attribute in &change.attributes {
        let side = if change.action == Action::Remove { &attribute.before } else { &attribute.after };
        let Some(value) = side else { continue };
        let in_usual = |usual| attribute.path.iter().try_fold(usual, |within: &Value, name| within.get(name));
        if usual.as_ref().and_then(in_usual) == Some(value) {
            continue;
        }
        let name = attribute.dotted();
        if change.id.kind() == Kind::Secret && name.starts_with("kind") {
            parts.push(value.as_str().map_or_else(|| "key".to_owned(), str::to_owned));
            continue;
        }
        match value {
            _ if attribute.is_sensitive() => parts.push(format!("{name} {}", value.as_str().unwrap_or("set"))),
            // A switch that is usually on says by its name that it is on.
            Value::Bool(false) if usual.is_some() => parts.push(format!("{name} false")),
            Value::Bool(false) => {}
            Value::Bool(true) => parts.push(name),
            Value::Number(number) if number.as_u64() == Some(0) => {}
            Value::String(text) if text.is_empty() => {}
            Value::Array(items) if items.is_empty() => {}
            Value::Array(_) if is_unnamed(attribute) => parts.push(format!("-> {}", list(value, full))),
            value => {
                let text = value.as_str().filter(|_| name != "version");
                let words = text.map_or_else(|| shown(&name, value, full), |text| plain(text, full));
                if is_unnamed(attribute) {
                    parts.push(format!("-> {words}"));
                } else if !words.is_empty() {
                    parts.push(format!("{name} {words}"));
                }
            }
        }
    }
    parts.join(", ")
}

/// Whether the field is the only one of its thing, so that its name says nothing more.
fn is_unnamed(attribute: &Attribute) -> bool {
    matches!(attribute.field.name, "targets" | "content" | "alias_of" | "rules")
}

/// The difference of two sets of texts: what was added and what was removed.
fn set_difference(attribute: &Attribute, full: bool) -> Option<String> {
    let texts = |side: &Option<Value>| -> Option<BTreeSet<String>> {
        match side {
            Some(Value::Array(items)) => items.iter().map(element).collect(),
            Some(Value::String(one)) if is_unnamed(attribute) => Some(BTreeSet::from([one.clone()])),
            None => Some(BTreeSet::new()),
            _ => None,
        }
    };
    let is_set = |side: &Option<Value>| matches!(side, Some(Value::Array(_)));
    if !is_set(&attribute.before) && !is_set(&attribute.after) {
        return None;
    }
    let (before, after) = (texts(&attribute.before)?, texts(&attribute.after)?);
    let come: Vec<&String> = after.difference(&before).collect();
    let gone: Vec<&String> = before.difference(&after).collect();
    let total = format!("({} total)", after.len());
    if come.is_empty() && gone.is_empty() {
        return Some(format!("another order {total}"));
    }
    if full || come.len() + gone.len() <= FEW {
        let come = come.iter().map(|text| format!("+{}", plain(text, full)));
        let each: Vec<String> = come.chain(gone.iter().map(|text| format!("-{}", plain(text, full)))).collect();
        return Some(format!("{} {total}", each.join(" ")));
    }
    Some(format!("+{} -{} {total}", come.len(), gone.len()))
}

/// An element of a set: a text, or a rename.
fn element(item: &Value) -> Option<String> {
    let rename = || Some(format!("{} -> {}", item.get("from")?.as_str()?, item.get("to")?.as_str()?));
    item.as_str().map(str::to_owned).or_else(rename)
}

fn shown(name: &str, value: &Value, full: bool) -> String {
    match (name.rsplit('.').next().unwrap_or(name), value) {
        ("version", Value::String(text)) => format!("{}..", text.get(..4).unwrap_or(text)),
        // A whole number in a control file is shown without quotes.
        ("content", Value::String(text)) if text.bytes().all(|b| b.is_ascii_digit()) => text.clone(),
        ("quota" | "default_quota" | "stream_limit" | "size", Value::Number(number)) => {
            number.as_u64().map_or_else(|| number.to_string(), size_text)
        }
        ("once_per" | "ttl", Value::Number(number)) => number.as_u64().map_or_else(|| number.to_string(), seconds),
        ("period", Value::Number(number)) => number.as_u64().map_or_else(|| number.to_string(), seconds),
        (_, Value::String(text)) => quoted(text, full),
        ("message_size", Value::Array(bounds)) => sizes(bounds).unwrap_or_else(|| list(value, full)),
        (_, Value::Array(_)) => list(value, full),
        (_, Value::Object(fields)) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| format!("{name} {}", shown(name, value, full))).collect::<Vec<_>>().join(", ")
        }
        (_, other) => other.to_string(),
    }
}

/// From the smallest size to the largest; 0 is no bound.
fn sizes(bounds: &[Value]) -> Option<String> {
    let [least, most] = bounds else { return None };
    Some(match (least.as_u64()?, most.as_u64()?) {
        (0, 0) => "any".to_owned(),
        (least, 0) => format!("from {}", size_text(least)),
        (0, most) => format!("up to {}", size_text(most)),
        (least, most) => format!("{} to {}", size_text(least), size_text(most)),
    })
}

fn list(value: &Value, full: bool) -> String {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.len() > FEW && !full {
        return items.len().to_string();
    }
    let each: Vec<String> = items
        .iter()
        .map(|item| item.as_str().map_or_else(|| shown("", item, full), |text| plain(text, full)))
        .collect();
    each.join(", ")
}

/// A text without quotes where that is clear.
fn plain(text: &str, full: bool) -> String {
    let clear = |c: char| c.is_ascii_alphanumeric() || "@.-_+:/".contains(c);
    if !text.is_empty() && text.chars().all(clear) { cut(text, full) } else { quoted(text, full) }
}

/// A text in quotes, with every character escaped that could do something to a terminal.
pub(crate) fn quoted(text: &str, full: bool) -> String {
    format!("{:?}", cut(text, full))
}

fn cut(text: &str, full: bool) -> String {
    if full || text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let head: String = text.chars().take(LONGEST).collect();
    format!("{head}..")
}

pub(crate) fn seconds(number: u64) -> String {
    for (length, unit) in [(86_400, "day"), (3_600, "hour"), (60, "minute")] {
        if number >= length && number.is_multiple_of(length) {
            return counted(usize::try_from(number / length).unwrap_or(usize::MAX), unit);
        }
    }
    format!("{number} s")
}

/// The action for a record and its time, in words.
pub(crate) fn when(record: &DnsChange, queue_lifetime: u64) -> String {
    let verb = match record.action {
        Action::Add => "publish",
        Action::Change => "change",
        Action::Remove => "remove",
    };
    match record.when {
        When::BeforeApply if record.action == Action::Remove => format!("{verb} before apply"),
        When::BeforeApply => format!("{verb} before apply; not asked whether visible"),
        When::AfterApply => format!("{verb} after apply"),
        When::AfterQueueLifetime => format!("{verb} {} after apply (queue drained)", seconds(queue_lifetime)),
    }
}

/// The largest set that is shown by its elements.
const FEW: usize = 3;
/// The number of characters of a text that are shown.
const LONGEST: usize = 48;

#[cfg(test)]
mod tests {
    use postkiln_blueprint::impact::{ALIAS, Object};
    use postkiln_blueprint::{Blueprint, List, User};
    use serde_json::json;

    use super::*;
    use crate::change::attributes;

    fn check(table: &[postkiln_blueprint::impact::Field], name: &str, before: Value, after: Value, expected: &str) {
        let field = table.iter().find(|field| field.name == name).unwrap();
        let found = attributes(field, before, after);
        let said: Vec<String> = found.iter().map(|attribute| difference(attribute, false)).collect();
        assert_eq!(said.join("; "), expected);
    }

    #[test]
    fn differences_are_short() {
        check(User::TABLE, "quota", json!(2_u64 << 30), json!(5_u64 << 30), "quota 2 GiB -> 5 GiB");
        check(User::TABLE, "quota", json!(null), json!(1000), "quota nothing -> 1000 octets");
        check(User::TABLE, "name", json!("Ada"), json!("\u{1b}[2J"), "name \"Ada\" -> \"\\u{1b}[2J\"");
        check(
            List::TABLE,
            "members",
            json!(["a@x.example"]),
            json!(["b@x.example"]),
            "members +b@x.example -a@x.example (1 total)",
        );
        let many: Vec<String> = (0..9).map(|number| format!("u{number}@x.example")).collect();
        check(List::TABLE, "members", json!([]), json!(many), "members +9 -0 (9 total)");
        check(
            &[ALIAS],
            "targets",
            json!(["a@x.example"]),
            json!(["a@x.example", "b@x.example"]),
            "+b@x.example (2 total)",
        );
        let rename = |to: &str| json!({"from": "user/a@x.example", "to": to});
        check(
            Blueprint::TABLE,
            "moved",
            json!([rename("user/b@x.example")]),
            json!([rename("user/b@x.example"), rename("user/c@x.example")]),
            "moved +\"user/a@x.example -> user/c@x.example\" (2 total)",
        );
        check(
            User::TABLE,
            "forward",
            json!({"to": ["a@x.example"], "keep": false}),
            json!({"to": ["a@x.example"], "keep": true}),
            "forward.keep false -> true",
        );
    }

    #[test]
    fn sizes_and_times_have_units() {
        check(List::TABLE, "message_size", json!([0, 0]), json!([0, 5 << 20]), "message_size any -> up to 5 MiB");
        check(
            List::TABLE,
            "message_size",
            json!([1024, 0]),
            json!([1024, 2048]),
            "message_size from 1 KiB -> 1 KiB to 2 KiB",
        );
        check(
            List::TABLE,
            "digest",
            json!({"messages": 30, "size": 65536, "period": 86_400}),
            json!({"messages": 30, "size": 65536, "period": 172_800}),
            "digest.period 1 day -> 2 days",
        );
    }

    #[test]
    fn a_new_list_says_what_is_not_usual() {
        let summed = |list: &List| {
            let fields = serde_json::to_value(list).unwrap();
            let value = |name: &str| fields.get(name).cloned().unwrap_or_default();
            let attributes = List::TABLE.iter().flat_map(|field| attributes(field, Value::Null, value(field.name)));
            let attributes = attributes.collect();
            let id = postkiln_blueprint::ObjectId::within(Kind::List, "news", "x.example");
            summary(&Change { id, action: Action::Add, from: None, attributes, place: None }, false)
        };
        assert_eq!(summed(&List::default()), "");
        let members = vec!["a@x.example".parse().unwrap()];
        let list = List { members, message_size: (0, 5 << 20), bounce_warnings: false, ..List::default() };
        assert_eq!(summed(&list), "members a@x.example, message_size up to 5 MiB, bounce_warnings false");
    }

    #[test]
    fn of_a_password_only_its_kind_is_told() {
        let hash = |fingerprint: &str| json!({"hash": {"fingerprint": fingerprint}});
        check(User::TABLE, "password", hash("aaaa"), hash("bbbb"), "password hash changed");
        check(User::TABLE, "password", json!("none"), hash("bbbb"), "password none -> hash");
        check(User::TABLE, "password", hash("aaaa"), json!({"secret": "ada"}), "password hash -> secret");
    }
}
