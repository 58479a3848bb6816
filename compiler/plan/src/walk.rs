//! Two blueprints side by side: things that come, go and change, and the operations that turn one into the other.
//!
//! Equal things are only counted: of 100,000 users only the one that differs is looked at.

use std::collections::BTreeMap;
use std::fmt::Display;

use postkiln_address::{Domain, LocalPart};
use postkiln_blueprint::impact::{self, Field, Object};
use postkiln_blueprint::{Blueprint, Kind, MailDomain, ObjectId, Zone};
use postkiln_bundle::{Listener, Role, Service};
use serde::Serialize;
use serde_json::Value;

use crate::before::{Before, same};
use crate::change::{Action, Attribute, Change, attributes};
use crate::patch::{Operation, step};
use crate::renames::Renames;

/// The number of equal things, by domain (none: the appliance's) and kind.
pub type Unchanged = BTreeMap<(Option<String>, Kind), usize>;

/// The result of comparing two blueprints.
#[derive(Default)]
pub(crate) struct Compared {
    /// The changes, sorted by domain, kind and name.
    pub(crate) changes: Vec<Change>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) unchanged: Unchanged,
}

/// Compares two whole blueprints.
pub(crate) fn walk(before: &Before<'_>, new: &Blueprint) -> Compared {
    let base = before.blueprint;
    // A new field of a blueprint does not compile here before it has a line below, or a place among the appliance's
    // own.
    let Blueprint {
        version: _,
        generation: _,
        hostname: _,
        addresses: _,
        operators: _,
        moved: _,
        control,
        domains,
        alias_domains,
        tcp,
        zones,
        tls,
        antivirus,
        web,
        ldap,
        storage,
        retention,
        services,
        secrets,
    } = new;
    let mut walk =
        Walk { before: *before, renames: Renames::new(before, new), done: Compared::default(), quiet: false };
    walk.object(&ObjectId::single(Kind::Appliance), "", Some(base), Some(new));
    each(&base.domains, domains, |name, base, new| walk.domain(name, base, new));
    each(&base.alias_domains, alias_domains, |name, base, new| {
        let id = ObjectId::new(Kind::Domain, name);
        walk.value(&id, &at("/alias_domains", name), &impact::ALIAS_DOMAIN, base, new);
    });
    each(&base.control, control, |name, base, new| {
        let id = ObjectId::new(Kind::Control, name);
        walk.value(&id, &at("/control", name), &impact::control(name), base, new);
    });
    each(&base.zones, zones, |name, base, new| walk.zone(name, base, new));
    walk.object(&ObjectId::single(Kind::Tls), "/tls", Some(&base.tls), Some(tls));
    walk.object(&ObjectId::single(Kind::Antivirus), "/antivirus", Some(&base.antivirus), Some(antivirus));
    walk.object(&ObjectId::single(Kind::Web), "/web", Some(&base.web), Some(web));
    walk.object(&ObjectId::single(Kind::Ldap), "/ldap", Some(&base.ldap), Some(ldap));
    walk.object(&ObjectId::single(Kind::Storage), "/storage", Some(&base.storage), Some(storage));
    walk.object(&ObjectId::single(Kind::Retention), "/retention", Some(&base.retention), Some(retention));
    each(&base.secrets, secrets, |name, base, new| {
        walk.object(&ObjectId::new(Kind::Secret, name), &at("/secrets", name), base, new);
    });
    walk.services(&base.services, services);
    each(&base.tcp, tcp, |name, base, new| {
        walk.value(&ObjectId::new(Kind::Listener, name), &at("/tcp", name), &impact::RULES, base, new);
    });
    walk.finish()
}

struct Walk<'a> {
    before: Before<'a>,
    renames: Renames,
    done: Compared,
    /// Whether operations are left out, because one on an enclosing thing does it all.
    quiet: bool,
}

impl<'a> Walk<'a> {
    fn domain(&mut self, name: &Domain, base: Option<&'a MailDomain>, new: Option<&MailDomain>) {
        let id = ObjectId::new(Kind::Domain, name);
        if self.renames.is_gone(&id) {
            return;
        }
        let path = at("/domains", name);
        let was = self
            .renames
            .before(&id)
            .and_then(|was| self.before.blueprint.domains.get_key_value(&was.name().parse().ok()?));
        if let (None, Some((old_name, old))) = (base, was) {
            self.renamed(&id, &at("/domains", old_name), &path, old, new);
            return self.members(name, Some(old), new);
        }
        self.object(&id, &path, base, new);
        // The members of a domain that comes or goes are reported; they need no operations of their own.
        self.quiet = base.is_none() || new.is_none();
        self.members(name, base, new);
        self.quiet = false;
    }

    fn members(&mut self, domain: &Domain, base: Option<&'a MailDomain>, new: Option<&MailDomain>) {
        self.people(domain, "users", base, new, |mail| &mail.users);
        self.people(domain, "lists", base, new, |mail| &mail.lists);
        self.people(domain, "responders", base, new, |mail| &mail.responders);
        let none = BTreeMap::new();
        let path = at(&at("/domains", domain), "aliases");
        let (base, new) = (base.map_or(&none, |mail| &mail.aliases), new.map_or(&none, |mail| &mail.aliases));
        let touched = self.touched(domain, "aliases", Kind::Alias, new);
        these(touched, base, new, |local, base, new| {
            let id = || ObjectId::within(Kind::Alias, local.as_str(), domain);
            self.value_of(id, || at(&path, local.as_str()), &impact::ALIAS, base, new);
        });
    }

    /// The names that have to be compared in a section of a domain, where not all have to; the others are
    /// counted as equal.
    fn touched<T>(
        &mut self,
        domain: &Domain,
        section: &str,
        kind: Kind,
        new: &BTreeMap<LocalPart, T>,
    ) -> Option<&'a [LocalPart]> {
        let touched = self.before.touched(domain, section)?;
        let same = same(new, touched);
        if same > 0 {
            *self.done.unchanged.entry((Some(domain.to_string()), kind)).or_default() += same;
        }
        Some(touched)
    }

    /// Compares things with addresses: users, lists, autoresponders.
    fn people<T: Object>(
        &mut self,
        domain: &Domain,
        field: &str,
        base: Option<&'a MailDomain>,
        new: Option<&MailDomain>,
        select: for<'m> fn(&'m MailDomain) -> &'m BTreeMap<LocalPart, T>,
    ) {
        let none = BTreeMap::new();
        let path = |domain: &str, local: &str| at(&at(&at("/domains", domain), field), local);
        let (base, new) = (base.map_or(&none, select), new.map_or(&none, select));
        let touched = self.touched(domain, field, T::KIND, new);
        these(touched, base, new, |local, base, new| {
            if base.zip(new).is_some_and(|(base, new)| base.agrees(new)) {
                return self.same(Some(domain.as_str()), T::KIND);
            }
            let id = ObjectId::within(T::KIND, local.as_str(), domain);
            if self.renames.is_gone(&id) {
                return;
            }
            let here = path(domain.as_str(), local.as_str());
            let was = self.renames.before(&id).and_then(|was| {
                let mail = self.before.blueprint.domains.get(&was.domain()?.parse::<Domain>().ok()?)?;
                Some((was.clone(), select(mail).get(&LocalPart::new(was.local()?).ok()?)?))
            });
            match was {
                Some((was, old)) if base.is_none() => {
                    let there = path(&self.renames.domain_now(&was), was.local().unwrap_or_default());
                    self.renamed(&id, &there, &here, old, new);
                }
                _ => self.object(&id, &here, base, new),
            }
        });
    }

    /// Compares a thing with the same thing under its old name.
    fn renamed<T: Object>(&mut self, id: &ObjectId, from: &str, to: &str, base: &T, new: Option<&T>) {
        let Some(new) = new else { return };
        // Also into a domain that comes as a whole: a moved thing takes the place of the one that came with the domain.
        let quiet = std::mem::replace(&mut self.quiet, false);
        self.operate(Operation::Move { from: from.to_owned(), path: to.to_owned() });
        let attributes = self.differing(to, base, new);
        self.quiet = quiet;
        let was = self.renames.before(id).cloned();
        self.done.changes.push(Change { from: was, ..change(id, Action::Change, attributes) });
    }

    fn zone(&mut self, name: &Domain, base: Option<&Zone>, new: Option<&Zone>) {
        let path = at("/zones", name);
        match (base, new) {
            (Some(base), Some(new)) => {
                self.object(&ObjectId::new(Kind::Zone, name), &path, Some(base), Some(new));
                if base.records != new.records {
                    self.operate(Operation::Add { path: at(&path, "records"), value: json(&new.records) });
                }
            }
            // A zone that comes or goes is reported by its records.
            (None, Some(new)) => self.operate(Operation::Add { path, value: json(new) }),
            (_, None) => self.operate(Operation::Remove { path }),
        }
    }

    /// Compares the service tables. The table is small and ordered, so one operation replaces it; its rows are reported
    /// by name.
    fn services(&mut self, base: &[Service], new: &[Service]) {
        if base != new {
            self.operate(Operation::Add { path: "/services".to_owned(), value: json(&new) });
        }
        self.quiet = true;
        each(&by_role(base), &by_role(new), |role, base, new| {
            self.object(&ObjectId::new(Kind::Service, role), "", base.copied(), new.copied());
        });
        each(&by_name(base), &by_name(new), |name, base, new| {
            self.object(&ObjectId::new(Kind::Listener, name), "", base.copied(), new.copied());
        });
        self.quiet = false;
    }

    /// Compares a thing with fields.
    fn object<T: Object>(&mut self, id: &ObjectId, path: &str, base: Option<&T>, new: Option<&T>) {
        match (base, new) {
            (Some(base), Some(new)) if base.agrees(new) => self.same(id.domain(), id.kind()),
            (Some(base), Some(new)) => {
                let attributes = self.differing(path, base, new);
                self.done.changes.push(change(id, Action::Change, attributes));
            }
            (None, Some(new)) => {
                self.operate(Operation::Add { path: path.to_owned(), value: json(new) });
                let held = new.values().into_iter();
                let attributes = held.flat_map(|(field, value)| attributes(field, Value::Null, value)).collect();
                self.done.changes.push(change(id, Action::Add, attributes));
            }
            (Some(base), None) => {
                self.operate(Operation::Remove { path: path.to_owned() });
                let held = base.values().into_iter();
                let attributes = held.flat_map(|(field, value)| attributes(field, value, Value::Null)).collect();
                self.done.changes.push(change(id, Action::Remove, attributes));
            }
            (None, None) => {}
        }
    }

    /// The fields that differ, and an operation for each.
    fn differing<T: Object>(&mut self, path: &str, base: &T, new: &T) -> Vec<Attribute> {
        let mut found = Vec::new();
        for ((field, before), (_, after)) in base.values().into_iter().zip(new.values()) {
            if before != after {
                self.operate(Operation::Add { path: at(path, field.name), value: after.clone() });
                found.extend(attributes(field, before, after));
            }
        }
        found
    }

    /// Compares a thing that is a single value.
    fn value<T: Serialize + PartialEq>(
        &mut self,
        id: &ObjectId,
        path: &str,
        field: &Field,
        base: Option<&T>,
        new: Option<&T>,
    ) {
        self.value_of(|| id.clone(), || path.to_owned(), field, base, new);
    }

    /// Like [`Self::value`], but names are made only when they are needed.
    fn value_of<T: Serialize + PartialEq>(
        &mut self,
        id: impl FnOnce() -> ObjectId,
        path: impl FnOnce() -> String,
        field: &Field,
        base: Option<&T>,
        new: Option<&T>,
    ) {
        let id = id();
        if base == new {
            return self.same(id.domain(), id.kind());
        }
        let (action, operation) = match (base, new) {
            (Some(_), Some(new)) => (Action::Change, Operation::Add { path: path(), value: json(new) }),
            (None, Some(new)) => (Action::Add, Operation::Add { path: path(), value: json(new) }),
            _ => (Action::Remove, Operation::Remove { path: path() }),
        };
        self.operate(operation);
        let shown = |side: Option<&T>| side.map_or(Value::Null, |value| lines(json(value)));
        let attributes = attributes(field, shown(base), shown(new));
        self.done.changes.push(change(&id, action, attributes));
    }

    fn same(&mut self, domain: Option<&str>, kind: Kind) {
        *self.done.unchanged.entry((domain.map(str::to_owned), kind)).or_default() += 1;
    }

    fn operate(&mut self, operation: Operation) {
        if !self.quiet {
            self.done.operations.push(operation);
        }
    }

    /// Puts changes and operations in order. A listener's socket and its rules are one thing to a person.
    fn finish(mut self) -> Compared {
        let mut changes: Vec<Change> = Vec::new();
        self.done.operations.sort_by_key(phase);
        self.done.changes.sort_by(|one, two| (&one.id, one.action).cmp(&(&two.id, two.action)));
        for change in self.done.changes {
            match changes.last_mut() {
                Some(last) if last.id == change.id && last.action == change.action => {
                    last.attributes.extend(change.attributes);
                }
                _ => changes.push(change),
            }
        }
        Compared { changes, ..self.done }
    }
}

/// Like [`each`], for these keys alone where they are given.
fn these<'m, K: Ord, V>(
    keys: Option<&'m [K]>,
    base: &'m BTreeMap<K, V>,
    new: &'m BTreeMap<K, V>,
    mut visit: impl FnMut(&'m K, Option<&'m V>, Option<&'m V>),
) {
    match keys {
        None => each(base, new, visit),
        Some(keys) => keys.iter().for_each(|key| visit(key, base.get(key), new.get(key))),
    }
}

/// The keys of both sides in order, each with the values of both.
fn each<'m, K: Ord, V>(
    base: &'m BTreeMap<K, V>,
    new: &'m BTreeMap<K, V>,
    mut visit: impl FnMut(&'m K, Option<&'m V>, Option<&'m V>),
) {
    let (mut base, mut new) = (base.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (base.peek(), new.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((one, _)), Some((two, _))) => one.cmp(two),
        };
        let from_base = if order.is_le() { base.next() } else { None };
        let from_new = if order.is_ge() { new.next() } else { None };
        if let Some((key, _)) = from_base.or(from_new) {
            visit(key, from_base.map(|(_, value)| value), from_new.map(|(_, value)| value));
        }
    }
}

/// The order of operations: a move comes after those that it needs, and before those that remove its source.
fn phase(operation: &Operation) -> u8 {
    let is_domain = |path: &str| path.starts_with("/domains/") && path.matches('/').count() == 2;
    match operation {
        Operation::Move { path, .. } | Operation::Add { path, .. } if is_domain(path) => 0,
        Operation::Move { .. } => 1,
        Operation::Add { .. } => 2,
        Operation::Remove { .. } => 3,
    }
}

fn by_role(services: &[Service]) -> BTreeMap<Role, &Service> {
    services.iter().map(|service| (service.role, service)).collect()
}

fn by_name(services: &[Service]) -> BTreeMap<&str, &Listener> {
    services.iter().flat_map(|service| &service.listeners).map(|one| (one.name.as_str(), one)).collect()
}

fn change(id: &ObjectId, action: Action, attributes: Vec<Attribute>) -> Change {
    Change { id: id.clone(), action, from: None, attributes, place: None }
}

/// A path with one more step.
fn at(path: &str, name: impl Display) -> String {
    format!("{path}/{}", step(&name.to_string()))
}

fn json(value: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A text as a list of its lines, so that it is compared like a set; a single line stays a text.
fn lines(value: Value) -> Value {
    match value {
        Value::String(text) => match text.trim_end_matches('\n') {
            one if !one.contains('\n') => Value::from(one),
            many => many.lines().map(Value::from).collect(),
        },
        other => other,
    }
}
