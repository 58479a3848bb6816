//! `domains`: mail domains and alias domains.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;

use postkiln_address::{Domain, LocalPart};

use crate::answer::Value;
use crate::decode::fields::{Fields, optional};
use crate::decode::walker::{At, Named, Walker};
use crate::decode::{autoresponder, limits, list, population, publishing, user};
use crate::population::{ALIASES, USERS};
use crate::{CatchAll, DomainEntry, MailDomain, Managed, Place, Placed, Subaddress, Target, User, codes};

pub(super) fn decode_all(walker: &Walker<'_>, at: &At<'_>) -> Option<BTreeMap<Domain, Placed<DomainEntry>>> {
    let mut domains = BTreeMap::new();
    let mut complete = true;
    for named in walker.entries(at, "the domains")? {
        let name = walker.domain_name::<Domain>(&named, None);
        let entry = name.as_ref().and_then(|name| decode(walker, name, &named));
        let (Some(name), Some(entry)) = (name, entry) else {
            complete = false;
            continue;
        };
        complete &= insert_once(walker, &mut domains, name, Placed { value: entry, place: named.place });
    }
    if domains.is_empty() && complete {
        walker.report(codes::MISSING, "there is no domain", &at.place, Some("write `\"example.org\" = { … }`"));
        return None;
    }
    complete.then_some(domains)
}

/// Adds to a map; the same name in other letters is recorded as an error, with both places.
pub(super) fn insert_once<K: Ord + Display, V>(
    walker: &Walker<'_>,
    map: &mut BTreeMap<K, Placed<V>>,
    key: K,
    value: Placed<V>,
) -> bool {
    match map.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(value);
            true
        }
        Entry::Occupied(entry) => {
            twice(walker, entry.key(), &value.place, &entry.get().place);
            false
        }
    }
}

/// Records that a name was declared before.
pub(super) fn twice(walker: &Walker<'_>, key: &impl Display, place: &Place, first: &Place) {
    let hint = "remove or rename one of the two; letters in upper and lower case are the same";
    walker.twice(format!("`{key}` is declared twice"), place, first, Some(hint));
}

fn decode(walker: &Walker<'_>, name: &Domain, named: &Named<'_>) -> Option<DomainEntry> {
    let fields = walker.fields(&named.value, "a domain", FIELDS)?;
    if let Some(target) = fields.get("alias_of") {
        let mut complete = true;
        for field in fields.written().filter(|field| field.name != "alias_of" && FIELDS.contains(&field.name)) {
            let message = format!("an alias domain has no `{}`", field.name);
            walker.report(
                codes::ALIAS_DOMAIN_FIELD,
                message,
                &field.place,
                Some("its addresses are those of the other domain"),
            );
            complete = false;
        }
        let target = walker.domain(&target)?;
        return complete.then_some(DomainEntry::AliasOf(target));
    }
    let decode_user = |walker: &Walker<'_>, at: &At<'_>| user::decode(walker, at, name);
    let users = population::both(walker, &fields, ("users", "users_from"), USERS, &decode_user);
    let decode_alias = |walker: &Walker<'_>, at: &At<'_>| alias(walker, at, name);
    let aliases = population::both(walker, &fields, ("aliases", "aliases_from"), ALIASES, &decode_alias);
    // A default of the schema would have the place of the whole record: the domain's name is easier to see.
    let written = |name| fields.get(name).filter(|at| at.is_written);
    let catch_all = optional(written("catch_all"), |at| catch_all(walker, at, name));
    let lists = optional(fields.get("lists"), |at| list::decode_all(walker, at, name));
    let autoresponders = optional(fields.get("autoresponders"), |at| autoresponder::decode_all(walker, at, name));
    let publishing = publishing::decode(walker, &fields, name, &named.place);
    let subaddress = optional(written("subaddress"), |at| subaddress(walker, at));
    let managed = optional(fields.get("managed"), |at| walker.tag(at, &MANAGED));
    let limits = optional(fields.get("limits"), |at| limits::decode(walker, at));
    let deny = optional(fields.get("deny"), |at| user::permissions(walker, at));
    let users = users?;
    let postmaster = postmaster(walker, &fields, &users, &named.place);
    Some(DomainEntry::Mail(Box::new(MailDomain {
        postmaster: postmaster?,
        users,
        aliases: aliases?,
        catch_all: catch_all?.unwrap_or_else(|| unwritten(named, CatchAll::Reject)),
        subaddress: subaddress?.unwrap_or_else(|| unwritten(named, Subaddress::Plus)),
        lists: lists?.unwrap_or_default(),
        autoresponders: autoresponders?.unwrap_or_default(),
        managed: managed?.unwrap_or_else(|| unwritten(named, Managed::Declared)),
        limits: limits?.unwrap_or_default(),
        deny: deny?.unwrap_or_default(),
        publishing: publishing?,
    })))
}

/// Wraps a default, which gets the place of the domain.
fn unwritten<T>(domain: &Named<'_>, value: T) -> Placed<T> {
    Placed { value, place: domain.place.clone() }
}

/// The local part that gets postmaster's mail (RFC 5321 §4.5.1): the named user, else the one called `postmaster`, else
/// the only user.
fn postmaster(
    walker: &Walker<'_>,
    fields: &Fields<'_>,
    users: &BTreeMap<LocalPart, Placed<User>>,
    domain: &Place,
) -> Option<Placed<LocalPart>> {
    if let Some(at) = fields.get("postmaster") {
        let text = walker.text(&at, "the name of a user")?;
        let name = walker.local_part(text, &at.place)?;
        if !users.contains_key(&name) {
            let known: Vec<&str> = users.keys().map(LocalPart::as_str).collect();
            let near = crate::suggest::nearest(name.as_str(), &known);
            let hint =
                near.map_or_else(|| "declare it under `users`".to_owned(), |near| format!("did you mean \"{near}\"?"));
            walker.report(
                codes::POSTMASTER,
                format!("postmaster `{name}` is no user of this domain"),
                &at.place,
                Some(&hint),
            );
            return None;
        }
        return Some(at.placed(name));
    }
    let called = LocalPart::new("postmaster").ok().filter(|name| users.contains_key(name));
    let only = if users.len() == 1 { users.keys().next().cloned() } else { None };
    let found = called.or(only).and_then(|name| users.get(&name).map(|user| (name, user.place.clone())));
    if found.is_none() {
        let hint = "write `postmaster = \"ada\"`, naming one of the domain's users";
        walker.report(codes::MISSING, "the field `postmaster` is missing", domain, Some(hint));
    }
    found.map(|(value, place)| Placed { value, place })
}

fn alias(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<Vec<Placed<Target>>> {
    if matches!(at.node.value, Value::Text(_)) {
        walker.mistyped(at, "a list of addresses", Some("a single target is a list too: `[\"ada\"]`"));
        return None;
    }
    let targets = walker.targets(at, home)?;
    if targets.is_empty() {
        walker.report(
            codes::VALUE,
            "an alias without targets leads nowhere",
            &at.place,
            Some("name one, or remove it"),
        );
        return None;
    }
    Some(targets)
}

/// Decodes a map whose keys are local parts.
pub(super) fn by_local_part<T>(
    walker: &Walker<'_>,
    at: &At<'_>,
    what: &str,
    decode: impl Fn(&At<'_>) -> Option<T>,
) -> Option<BTreeMap<LocalPart, Placed<T>>> {
    let mut map = BTreeMap::new();
    let mut complete = true;
    for named in walker.entries(at, what)? {
        let key = walker.local_part(named.name, &named.place);
        match (key, decode(&named.value)) {
            (Some(key), Some(value)) => {
                complete &= insert_once(walker, &mut map, key, Placed { value, place: named.place });
            }
            _ => complete = false,
        }
    }
    complete.then_some(map)
}

fn catch_all(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<Placed<CatchAll>> {
    match &at.node.value {
        Value::Tag(tag, Some(target)) if tag == "deliver_to" => {
            let target = At { node: target, ..at.clone() };
            walker.target(&target, home).map(|target| at.placed(CatchAll::Deliver(target.value)))
        }
        Value::Tag(tag, None) if tag == "deliver_to" => {
            walker.mistyped(at, "a target after 'deliver_to", Some("write 'deliver_to \"ada\""));
            None
        }
        Value::Tag(tag, None) if tag == "reject" => Some(at.placed(CatchAll::Reject)),
        Value::Tag(tag, None) if tag == "discard" => Some(at.placed(CatchAll::Discard)),
        Value::Tag(tag, _) => {
            let near = crate::suggest::nearest(tag, &["reject", "discard", "deliver_to"]);
            let hint = near.map(|near| format!("did you mean '{near}?"));
            let message = format!("'{tag} is none of 'reject, 'discard, 'deliver_to with a target");
            walker.report(codes::VALUE, message, &at.place, hint.as_deref());
            None
        }
        _ => {
            walker.mistyped(at, "one of 'reject, 'discard, 'deliver_to with a target", None);
            None
        }
    }
}

fn subaddress(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Subaddress>> {
    let name = match &at.node.value {
        Value::Text(text) if text == "+" => "plus",
        Value::Text(text) if text == "-" => "minus",
        _ => return walker.tag(at, &SUBADDRESS),
    };
    walker.mistyped(at, "one of 'plus, 'minus, 'none", Some(&format!("write '{name} without quotes")));
    None
}

const SUBADDRESS: [(&str, Subaddress); 3] =
    [("plus", Subaddress::Plus), ("minus", Subaddress::Minus), ("none", Subaddress::None)];

const MANAGED: [(&str, Managed); 2] = [("declared", Managed::Declared), ("delegated", Managed::Delegated)];

const FIELDS: &[&str] = &[
    "alias_of",
    "postmaster",
    "users",
    "users_from",
    "aliases",
    "aliases_from",
    "catch_all",
    "subaddress",
    "lists",
    "autoresponders",
    "managed",
    "limits",
    "deny",
    "dkim",
    "spf",
    "dmarc",
    "mta_sts",
    "tls_rpt",
    "mx",
    "client",
];
