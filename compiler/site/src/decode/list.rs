//! `lists` of a domain: members, who may post, and ezmlm's other settings.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_control::list::{Digest, Members, Posting, Readers, ReplyTo, Subscribe, Unsubscribe};

use crate::answer::Value;
use crate::decode::declared::by_local_part;
use crate::decode::defaults::entry;
use crate::decode::fields::Fields;
use crate::decode::walker::{At, Walker};
use crate::decode::{population, quantity};
use crate::{Gap, List, Placed, Target, codes};

pub(super) fn decode_all(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<BTreeMap<LocalPart, Placed<List>>> {
    by_local_part(walker, at, "the lists", home, |at, local| list(walker, at, local, home))
}

/// A list, as far as it can be read: the schema's defaults stand for the settings that cannot.
fn list(walker: &Walker<'_>, at: &At<'_>, local: &LocalPart, home: &Domain) -> Option<List> {
    let lacking = || walker.gap(Gap::Settings(home.clone(), local.clone()));
    // An empty list has no mistakes, so nothing stands in for its settings.
    let usual = || {
        lacking();
        let node = walker.defaults().filled(vec![entry("members", Value::List(Vec::new()))], "List");
        walker.stand_in(&node, &at.place, |walker, at| list(walker, at, local, home))
    };
    let Some(fields) = walker.fields(at, "a list", FIELDS) else { return usual() };
    let people = |name| {
        fields.optional(name, |at| walker.targets(at, home)).unwrap_or_else(|| {
            lacking();
            fields.get(name).map(|at| walker.readable_targets(&at, home))
        })
    };
    let person = |name| {
        fields.optional(name, |at| walker.target(at, home)).unwrap_or_else(|| {
            lacking();
            None
        })
    };
    let text = |name, what| fields.optional(name, |at| walker.line(at, what)).flatten();
    let flag = |name| fields.defaulted(name).and_then(|at| walker.switch(&at));
    let trailer = |at: &At<'_>| Some(at.placed(walker.text(at, "the text below each post")?.to_owned()));
    let [mime_remove, mime_reject] = pair(walker, &fields, "mime", ["remove", "reject"], mime_type).unwrap_or_default();
    let [header_add, header_remove] =
        pair(walker, &fields, "headers", ["add", "remove"], header_line).unwrap_or_default();
    Some(List {
        members: members(walker, &fields, home).unwrap_or_else(|| {
            lacking();
            fields.get("members").map(|at| walker.readable_targets(&at, home)).unwrap_or_default()
        }),
        managed: tag(walker, &fields, "managed", MANAGED).or_else(|| Some(usual()?.managed))?,
        post: tag(walker, &fields, "post", POSTING).or_else(|| Some(usual()?.post))?,
        moderators: people("moderators").unwrap_or_default(),
        owner: person("owner"),
        allow: people("allow").unwrap_or_default(),
        deny: people("deny").unwrap_or_default(),
        subscribe: tag(walker, &fields, "subscribe", SUBSCRIBE).or_else(|| Some(usual()?.subscribe))?,
        unsubscribe: tag(walker, &fields, "unsubscribe", UNSUBSCRIBE).or_else(|| Some(usual()?.unsubscribe))?,
        archive: tag(walker, &fields, "archive", READERS).or_else(|| Some(usual()?.archive))?,
        digest: fields.optional("digest", |at| digest(walker, at)).flatten(),
        prefix: text("prefix", "a subject prefix"),
        trailer: fields.optional("trailer", trailer).flatten(),
        reply_to: tag(walker, &fields, "reply_to", REPLY_TO).or_else(|| Some(usual()?.reply_to))?,
        message_size: fields.optional("message_size", |at| message_size(walker, at)).flatten(),
        mime_remove,
        mime_reject,
        header_add,
        header_remove,
        bounce_warnings: flag("bounce_warnings").or_else(|| Some(usual()?.bounce_warnings))?,
        members_listed: flag("members_listed").or_else(|| Some(usual()?.members_listed))?,
        remote_administration: flag("remote_administration").or_else(|| Some(usual()?.remote_administration))?,
        texts_editable: flag("texts_editable").or_else(|| Some(usual()?.texts_editable))?,
        sublist_of: person("sublist_of"),
    })
}

/// The members written in the list, then those of its files; at least one of the two fields is present. `None` when
/// some cannot be read.
fn members(walker: &Walker<'_>, fields: &Fields<'_>, home: &Domain) -> Option<Vec<Placed<Target>>> {
    let from = fields.get("members_from");
    if from.is_none() && !fields.is_misspelt("members_from") {
        return fields.required("members").and_then(|at| walker.targets(&at, home));
    }
    let written = fields.optional("members", |at| walker.targets(at, home));
    let from = from?;
    let read = population::addresses(walker, &from, home);
    let mut members = written?.unwrap_or_default();
    members.extend(read?);
    Some(members)
}

fn tag<T: Copy>(
    walker: &Walker<'_>,
    fields: &Fields<'_>,
    name: &'static str,
    known: &[(&'static str, T)],
) -> Option<Placed<T>> {
    fields.defaulted(name).and_then(|at| walker.tag(&at, known))
}

fn digest(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Digest>> {
    let fields = walker.fields(at, "a digest", &["messages", "size", "period"])?;
    let messages = fields.defaulted("messages").and_then(|at| quantity::count(walker, &at, "messages", 1));
    let size = fields.defaulted("size").and_then(|at| quantity::octets(walker, &at));
    let period = fields.defaulted("period").and_then(|at| quantity::seconds(walker, &at));
    let messages = u32::try_from(messages?.value).unwrap_or(u32::MAX);
    Some(at.placed(Digest { messages, size: size?.value, period: period?.value }))
}

fn message_size(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<(u64, u64)>> {
    let fields = walker.fields(at, "a size of posts", &["min", "max"])?;
    let octets = |name| fields.optional(name, |at| quantity::octets(walker, at));
    let (min, max) = (octets("min"), octets("max"));
    let (min, max) = (min?.map_or(0, |min| min.value), max?.map_or(0, |max| max.value));
    if max > 0 && min > max {
        let hint = "no post has such a size: lower `min`, or raise `max`";
        walker.report(codes::VALUE, "the smallest post is larger than the largest", &at.place, Some(hint));
        return None;
    }
    Some(at.placed((min, max)))
}

/// Two lists of strings under one field; each string is judged by itself.
fn pair(
    walker: &Walker<'_>,
    fields: &Fields<'_>,
    name: &'static str,
    parts: [&'static str; 2],
    judge: fn(&str, &str) -> Result<(), String>,
) -> Option<[Vec<Placed<String>>; 2]> {
    let Some(at) = fields.get(name) else { return Some([Vec::new(), Vec::new()]) };
    let known: &'static [&'static str] = if name == "mime" { &["remove", "reject"] } else { &["add", "remove"] };
    let inner = walker.fields(&at, name, known)?;
    let strings = parts.map(|part| {
        inner.optional(part, |at| {
            let items = walker.list(at, "strings")?;
            let each = items.iter().map(|item| {
                let text = walker.line(item, "a string")?;
                match judge(part, &text.value) {
                    Ok(()) => Some(text),
                    Err(problem) => {
                        walker.report(codes::VALUE, problem, &text.place, None);
                        None
                    }
                }
            });
            each.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()
        })
    });
    let [one, other] = strings;
    Some([one?.unwrap_or_default(), other?.unwrap_or_default()])
}

fn mime_type(_: &str, text: &str) -> Result<(), String> {
    let token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    match text.split_once('/') {
        Some((kind, sub)) if token(kind) && (sub == "*" || token(sub)) => Ok(()),
        _ => Err(format!("{text:?} is no MIME type: write one as `text/html` or `application/*`")),
    }
}

fn header_line(part: &str, text: &str) -> Result<(), String> {
    // RFC 5322 §2.2: printable ASCII without colon and space.
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    match (part, text.split_once(':')) {
        ("add", Some((name, value))) if is_name(name) && !value.trim().is_empty() => Ok(()),
        ("add", _) => Err(format!("{text:?} is no header line: write one as `X-Office: London`")),
        (_, None) if is_name(text) => Ok(()),
        _ => Err(format!("{text:?} is no name of a header field: write only what stands before the colon")),
    }
}

/// All field names of a list, for the hint about an unknown field.
const FIELDS: &[&str] = &[
    "members",
    "members_from",
    "managed",
    "post",
    "moderators",
    "owner",
    "allow",
    "deny",
    "subscribe",
    "unsubscribe",
    "archive",
    "digest",
    "prefix",
    "trailer",
    "reply_to",
    "message_size",
    "mime",
    "headers",
    "bounce_warnings",
    "members_listed",
    "remote_administration",
    "texts_editable",
    "sublist_of",
];

const MANAGED: &[(&str, Members)] = &[("declared", Members::Declared), ("delegated", Members::Delegated)];
const POSTING: &[(&str, Posting)] = &[
    ("anyone", Posting::Anyone),
    ("members", Posting::Members),
    ("moderators", Posting::Moderators),
    ("members_else_moderated", Posting::MembersElseModerated),
    ("moderated", Posting::Moderated),
];
const SUBSCRIBE: &[(&str, Subscribe)] = &[
    ("open", Subscribe::Open),
    ("confirm", Subscribe::Confirm),
    ("moderated", Subscribe::Moderated),
    ("closed", Subscribe::Closed),
];
const UNSUBSCRIBE: &[(&str, Unsubscribe)] = &[("open", Unsubscribe::Open), ("confirm", Unsubscribe::Confirm)];
const READERS: &[(&str, Readers)] = &[
    ("nobody", Readers::Nobody),
    ("moderators", Readers::Moderators),
    ("members", Readers::Members),
    ("anyone", Readers::Anyone),
];
const REPLY_TO: &[(&str, ReplyTo)] = &[("sender", ReplyTo::Sender), ("list", ReplyTo::List)];
