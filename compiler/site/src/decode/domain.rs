//! `domains`: mail domains and alias domains.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};

use crate::answer::Value;
use crate::decode::declared::insert_once;
use crate::decode::fields::Fields;
use crate::decode::walker::{At, Named, Walker};
use crate::decode::{autoresponder, limits, list, population, publishing, user};
use crate::population::Table;
use crate::{CatchAll, DomainEntry, Gap, MailDomain, Managed, Place, Placed, Section, Subaddress, Target, User, codes};

pub(super) fn decode_all(walker: &Walker<'_>, at: &At<'_>) -> Option<BTreeMap<Domain, Placed<DomainEntry>>> {
    let mut domains = BTreeMap::new();
    let mut complete = true;
    for named in walker.entries(at, "the domains")? {
        let name = walker.domain_name::<Domain>(&named, None);
        // Below a name that is none there may be further mistakes.
        let home = name.clone().or_else(|| "unnamed.invalid".parse().ok())?;
        let entry = decode(walker, &home, &named);
        match (name, entry) {
            (Some(name), Some(entry)) => {
                insert_once(walker, &mut domains, name, Placed { value: entry, place: named.place });
            }
            _ => complete = false,
        }
    }
    if domains.is_empty() && complete {
        walker.report(codes::MISSING, "there is no domain", &at.place, Some("write `\"example.org\" = { … }`"));
        return None;
    }
    if !complete {
        walker.gap(Gap::Section(Section::Domains));
    }
    Some(domains)
}

fn decode(walker: &Walker<'_>, name: &Domain, named: &Named<'_>) -> Option<DomainEntry> {
    let fields = walker.fields(&named.value, "a domain", FIELDS)?;
    if let Some(target) = fields.optional("alias_of", |at| Some(at.clone()))? {
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
    Some(DomainEntry::Mail(Box::new(mail_domain(walker, name, named, &fields)?)))
}

fn mail_domain(walker: &Walker<'_>, name: &Domain, named: &Named<'_>, fields: &Fields<'_>) -> Option<MailDomain> {
    let decode_user = |walker: &Walker<'_>, at: &At<'_>, local: &LocalPart| Some(user::decode(walker, at, local, name));
    let users = population::both(walker, fields, ("users", "users_from"), Table::Users, name, &decode_user);
    let decode_alias = |walker: &Walker<'_>, at: &At<'_>, local: &LocalPart| Some(alias(walker, at, local, name));
    let aliases = population::both(walker, fields, ("aliases", "aliases_from"), Table::Aliases, name, &decode_alias);
    // A default of the schema would have the place of the whole record: the domain's name is easier to see.
    let catch_all = fields.optional_written("catch_all", |at| catch_all(walker, at, name));
    let lists = fields.optional("lists", |at| list::decode_all(walker, at, name));
    let autoresponders = fields.optional("autoresponders", |at| autoresponder::decode_all(walker, at, name));
    let publishing = publishing::decode(walker, fields, name, &named.place);
    let subaddress = fields.optional_written("subaddress", |at| subaddress(walker, at));
    let managed = fields.optional("managed", |at| walker.tag(at, &MANAGED));
    let limits = fields.optional("limits", |at| limits::decode(walker, at));
    let deny = fields.optional("deny", |at| user::permissions(walker, at));
    let catch_all = walker.or_gap(catch_all, || Gap::Way(name.clone(), None), || None);
    let names = || Gap::Names(name.clone());
    let subaddress = walker.or_gap(subaddress, names, || None);
    Some(MailDomain {
        postmaster: postmaster(walker, fields, &users, name, &named.place)?,
        users,
        aliases,
        catch_all: catch_all.unwrap_or_else(|| unwritten(named, CatchAll::Reject)),
        subaddress: subaddress.unwrap_or_else(|| unwritten(named, Subaddress::Plus)),
        lists: walker.or_gap(lists, names, || None).unwrap_or_default(),
        autoresponders: walker.or_gap(autoresponders, names, || None).unwrap_or_default(),
        managed: managed.flatten().unwrap_or_else(|| unwritten(named, Managed::Declared)),
        limits: walker.or_gap(limits, || Gap::Quotas(name.clone()), || None).unwrap_or_default(),
        deny: walker.or_gap(deny, || Gap::Person(name.clone(), None), || None).unwrap_or_default(),
        publishing: match publishing {
            Some(publishing) => publishing,
            None => {
                walker.gap(Gap::Publishing(name.clone()));
                publishing::stand_in(walker, name, &named.place)?
            }
        },
    })
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
    home: &Domain,
    domain: &Place,
) -> Option<Placed<LocalPart>> {
    let called = LocalPart::new("postmaster").ok()?;
    let found = match fields.optional("postmaster", |at| Some(at.clone())) {
        Some(Some(at)) => named_postmaster(walker, &at, users, home),
        Some(None) => only_postmaster(walker, &called, users, home, domain),
        None => None,
    };
    let way = || Gap::Way(home.clone(), Some(called.clone()));
    Some(walker.or_gap(found, way, || Placed { value: called.clone(), place: domain.clone() }))
}

fn named_postmaster(
    walker: &Walker<'_>,
    at: &At<'_>,
    users: &BTreeMap<LocalPart, Placed<User>>,
    home: &Domain,
) -> Option<Placed<LocalPart>> {
    let text = walker.text(at, "the name of a user")?;
    let name = walker.local_part(text, &at.place)?;
    if users.contains_key(&name) {
        return Some(at.placed(name));
    }
    if !walker.has_gap(&Gap::Names(home.clone())) {
        let known: Vec<&str> = users.keys().map(LocalPart::as_str).collect();
        let near = crate::suggest::nearest(name.as_str(), known);
        let hint =
            near.map_or_else(|| "declare it under `users`".to_owned(), |near| format!("did you mean \"{near}\"?"));
        let message = format!("postmaster `{name}` is no user of this domain");
        walker.report(codes::POSTMASTER, message, &at.place, Some(&hint));
    }
    None
}

fn only_postmaster(
    walker: &Walker<'_>,
    called: &LocalPart,
    users: &BTreeMap<LocalPart, Placed<User>>,
    home: &Domain,
    domain: &Place,
) -> Option<Placed<LocalPart>> {
    let only = if users.len() == 1 { users.first_key_value() } else { None };
    if let Some((name, user)) = users.get_key_value(called).or(only) {
        return Some(Placed { value: name.clone(), place: user.place.clone() });
    }
    if !walker.has_gap(&Gap::Names(home.clone())) {
        let hint = "write `postmaster = \"ada\"`, naming one of the domain's users";
        walker.report(codes::MISSING, "the field `postmaster` is missing", domain, Some(hint));
    }
    None
}

/// An alias, with those of its targets that can be read.
fn alias(walker: &Walker<'_>, at: &At<'_>, local: &LocalPart, home: &Domain) -> Vec<Placed<Target>> {
    let targets = targets(walker, at, home);
    walker.or_gap(targets, || Gap::Way(home.clone(), Some(local.clone())), || walker.readable_targets(at, home))
}

fn targets(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<Vec<Placed<Target>>> {
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
            let near = crate::suggest::nearest(tag, ["reject", "discard", "deliver_to"]);
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
