//! `lists` of a domain: members, who may post, and ezmlm's other settings.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_control::list::{Digest, Members, Posting, Readers, ReplyTo, Subscribe, Unsubscribe};

use crate::decode::domain::by_local_part;
use crate::decode::fields::{Fields, optional};
use crate::decode::walker::{At, Walker};
use crate::decode::{population, quantity};
use crate::{List, Placed, Target, codes};

pub(super) fn decode_all(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<BTreeMap<LocalPart, Placed<List>>> {
    by_local_part(walker, at, "the lists", |at| list(walker, at, home))
}

#[allow(clippy::too_many_lines, reason = "one line for each field")]
fn list(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<List> {
    let fields = walker.fields(at, "a list", FIELDS)?;
    let people = |name| optional(fields.get(name), |at| walker.targets(at, home));
    let person = |name| optional(fields.get(name), |at| walker.target(at, home));
    let text = |name, what| optional(fields.get(name), |at| walker.line(at, what));
    let members = members(walker, &fields, home);
    let (moderators, allow, deny) = (people("moderators"), people("allow"), people("deny"));
    let (owner, sublist_of) = (person("owner"), person("sublist_of"));
    let managed = tag(walker, &fields, "managed", MANAGED);
    let post = tag(walker, &fields, "post", POSTING);
    let subscribe = tag(walker, &fields, "subscribe", SUBSCRIBE);
    let unsubscribe = tag(walker, &fields, "unsubscribe", UNSUBSCRIBE);
    let archive = tag(walker, &fields, "archive", READERS);
    let reply_to = tag(walker, &fields, "reply_to", REPLY_TO);
    let digest = optional(fields.get("digest"), |at| digest(walker, at));
    let prefix = text("prefix", "a subject prefix");
    let trailer =
        optional(fields.get("trailer"), |at| Some(at.placed(walker.text(at, "the text below each post")?.to_owned())));
    let message_size = optional(fields.get("message_size"), |at| message_size(walker, at));
    let mime = pair(walker, &fields, "mime", ["remove", "reject"], mime_type);
    let headers = pair(walker, &fields, "headers", ["add", "remove"], header_line);
    let flag = |name| fields.defaulted(name).and_then(|at| walker.boolean(&at).map(|value| at.placed(value)));
    let (bounce_warnings, members_listed) = (flag("bounce_warnings"), flag("members_listed"));
    let (remote_administration, texts_editable) = (flag("remote_administration"), flag("texts_editable"));
    let ([mime_remove, mime_reject], [header_add, header_remove]) = (mime?, headers?);
    Some(List {
        members: members?,
        managed: managed?,
        post: post?,
        moderators: moderators?.unwrap_or_default(),
        owner: owner?,
        allow: allow?.unwrap_or_default(),
        deny: deny?.unwrap_or_default(),
        subscribe: subscribe?,
        unsubscribe: unsubscribe?,
        archive: archive?,
        digest: digest?,
        prefix: prefix?,
        trailer: trailer?,
        reply_to: reply_to?,
        message_size: message_size?,
        mime_remove,
        mime_reject,
        header_add,
        header_remove,
        bounce_warnings: bounce_warnings?,
        members_listed: members_listed?,
        remote_administration: remote_administration?,
        texts_editable: texts_editable?,
        sublist_of: sublist_of?,
    })
}

/// The members written in the list, then those of its files; at least one of the two fields is present.
fn members(walker: &Walker<'_>, fields: &Fields<'_>, home: &Domain) -> Option<Vec<Placed<Target>>> {
    let Some(from) = fields.get("members_from") else {
        return fields.required("members").and_then(|at| walker.targets(&at, home));
    };
    let written = optional(fields.get("members"), |at| walker.targets(at, home));
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
    let octets = |name| optional(fields.get(name), |at| quantity::octets(walker, at));
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
        optional(inner.get(part), |at| {
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
