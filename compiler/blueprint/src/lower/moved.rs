//! Renames: each old name leads to a declared one in one step. Proves that all of them can be true together.

use std::collections::BTreeMap;

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_site::{Movable, Placed, Site};

use crate::codes;
use crate::findings::Findings;
use crate::model::{MailDomain, Move};
use crate::{Kind, ObjectId};

type Domains = BTreeMap<Domain, MailDomain>;
type AliasDomains = BTreeMap<Domain, Domain>;

/// The renames in the order written, with chains joined.
pub(super) fn lower(
    site: &Site,
    domains: &Domains,
    alias_domains: &AliasDomains,
    findings: &mut Findings,
) -> Vec<Move> {
    let steps = steps(site, findings);
    let mut moved = Vec::new();
    for (from, to) in &steps {
        let Some(last) = last(&steps, to, from) else {
            report_circle(&steps, from, to, findings);
            continue;
        };
        check_from(from, to, domains, findings);
        if !is_declared(&last.value, domains, alias_domains) {
            report_missing(last, domains, findings);
        }
        moved.push(Move { from: id(from), to: id(&last.value) });
    }
    moved
}

/// Renames by the old name; a name that is moved twice, or taken twice, is reported.
fn steps<'a>(site: &'a Site, findings: &mut Findings) -> BTreeMap<&'a Movable, &'a Placed<Movable>> {
    let mut steps: BTreeMap<&Movable, &Placed<Movable>> = BTreeMap::new();
    let mut places = BTreeMap::new();
    let mut taken: BTreeMap<&Movable, &Placed<Movable>> = BTreeMap::new();
    for entry in &site.moved {
        let (from, to) = (&entry.value.from, &entry.value.to);
        if let Some(first) = places.insert(&from.value, &from.place) {
            findings
                .add(codes::MOVED_TWICE, &from.place, format!("{} is renamed twice", from.value))
                .hint("it can have one name only: remove one of the two")
                .related(first, "first renamed here");
            continue;
        }
        if let Some(first) = taken.insert(&to.value, to) {
            findings
                .add(codes::MOVED_TWICE, &to.place, format!("two are renamed to {}", to.value))
                .hint("a rename does not join two into one: give one of them another name")
                .related(&first.place, "the first");
            continue;
        }
        steps.insert(&from.value, to);
    }
    steps
}

/// The end of a chain of renames; `None` when it comes back to `start`, or goes round without it.
fn last<'a>(
    steps: &BTreeMap<&'a Movable, &'a Placed<Movable>>,
    to: &'a Placed<Movable>,
    start: &Movable,
) -> Option<&'a Placed<Movable>> {
    let mut to = to;
    for _ in 0..=steps.len() {
        if to.value == *start {
            return None;
        }
        match steps.get(&to.value) {
            Some(further) => to = further,
            None => return Some(to),
        }
    }
    None
}

/// Reports each circle once, at its smallest name.
fn report_circle(
    steps: &BTreeMap<&Movable, &Placed<Movable>>,
    from: &Movable,
    to: &Placed<Movable>,
    findings: &mut Findings,
) {
    let mut names = vec![from];
    let mut next = &to.value;
    while next != from {
        if next < from {
            return;
        }
        names.push(next);
        // No two renames lead to one name, so a chain that does not end is a circle through its beginning.
        let Some(further) = steps.get(next) else { return };
        next = &further.value;
    }
    names.push(from);
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    findings
        .add(codes::MOVED_CIRCLE, &to.place, format!("the renames go in a circle: {}", names.join(" → ")))
        .hint("to exchange two names, rename one to a third in a commit of its own");
}

fn check_from(from: &Movable, to: &Placed<Movable>, domains: &Domains, findings: &mut Findings) {
    // A domain that moved may well stay as an alias domain of the new one.
    if !is_declared(from, domains, &BTreeMap::new()) {
        return;
    }
    let hint = match from {
        Movable::User(name) => {
            format!("remove it, or keep the address as an alias: `aliases = [{:?}]`", name.local().as_str())
        }
        _ => "remove it, or this rename when it is done on every node".to_owned(),
    };
    findings
        .add(codes::MOVED_DECLARED, &to.place, format!("{from} was renamed to {} and is still declared", to.value))
        .hint(hint);
}

fn report_missing(to: &Placed<Movable>, domains: &Domains, findings: &mut Findings) {
    let message = format!("something was renamed to {}, which is not declared", to.value);
    let near = match &to.value {
        Movable::User(name) => near(domains, name, |mail| mail.users.keys().collect()),
        Movable::Alias(name) => near(domains, name, |mail| mail.aliases.keys().collect()),
        Movable::List(name) => near(domains, name, |mail| mail.lists.keys().collect()),
        Movable::Autoresponder(name) => near(domains, name, |mail| mail.responders.keys().collect()),
        Movable::Domain(name) => {
            postkiln_findings::suggest::nearest(name.as_str(), domains.keys().map(Domain::as_str)).map(str::to_owned)
        }
    };
    let hint =
        near.map_or_else(|| "declare it under its new name".to_owned(), |near| format!("did you mean {near:?}?"));
    findings.add(codes::MOVED_MISSING, &to.place, message).hint(hint);
}

fn near(domains: &Domains, name: &Address, names: fn(&MailDomain) -> Vec<&LocalPart>) -> Option<String> {
    let names = names(domains.get(name.domain())?);
    let found = postkiln_findings::suggest::nearest(name.local().as_str(), names.into_iter().map(LocalPart::as_str));
    found.map(str::to_owned)
}

fn is_declared(name: &Movable, domains: &Domains, alias_domains: &AliasDomains) -> bool {
    let has = |address: &Address, has: fn(&MailDomain, &LocalPart) -> bool| {
        domains.get(address.domain()).is_some_and(|mail| has(mail, address.local()))
    };
    match name {
        Movable::User(address) => has(address, |mail, local| mail.users.contains_key(local)),
        Movable::Alias(address) => has(address, |mail, local| mail.aliases.contains_key(local)),
        Movable::List(address) => has(address, |mail, local| mail.lists.contains_key(local)),
        Movable::Autoresponder(address) => has(address, |mail, local| mail.responders.contains_key(local)),
        Movable::Domain(domain) => domains.contains_key(domain) || alias_domains.contains_key(domain),
    }
}

fn id(name: &Movable) -> ObjectId {
    match name {
        Movable::User(name) => ObjectId::new(Kind::User, name),
        Movable::Alias(name) => ObjectId::new(Kind::Alias, name),
        Movable::List(name) => ObjectId::new(Kind::List, name),
        Movable::Autoresponder(name) => ObjectId::new(Kind::Autoresponder, name),
        Movable::Domain(name) => ObjectId::new(Kind::Domain, name),
    }
}
