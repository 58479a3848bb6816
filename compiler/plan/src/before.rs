//! The base of a plan, of which only those things may have been read that are not the same on the new side.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_blueprint::{Blueprint, Kind, MailDomain, ObjectId};

use crate::Side;

/// The base, with the knowledge of what it lacks.
#[derive(Clone, Copy)]
pub(crate) struct Before<'a> {
    /// The blueprint, perhaps without things that are the same on the new side.
    pub(crate) blueprint: &'a Blueprint,
    side: &'a Side<'a>,
    new: &'a Blueprint,
}

impl<'a> Before<'a> {
    pub(crate) fn new(base: &'a Side<'a>, new: &'a Side<'a>) -> Self {
        Self { blueprint: base.blueprint, side: base, new: new.blueprint }
    }

    /// The names in a section of a domain that have to be compared; `None`: all.
    pub(crate) fn touched(&self, domain: &Domain, section: &str) -> Option<&'a [LocalPart]> {
        Some(self.side.touched?.get(domain)?.get(section)?)
    }

    /// Whether the base has a thing.
    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        let is_left_out = || {
            let touched = self.touched(&id.domain()?.parse().ok()?, section(id.kind())?)?;
            let local = LocalPart::new(id.local()?).ok()?;
            Some(has(self.new, id) && !touched.contains(&local))
        };
        has(self.blueprint, id) || is_left_out().unwrap_or(false)
    }

    /// The number of users.
    pub(crate) fn users(&self) -> usize {
        let read: usize = self.blueprint.domains.values().map(|mail| mail.users.len()).sum();
        let left_out = self
            .new
            .domains
            .iter()
            .filter_map(|(domain, mail)| Some(same(&mail.users, self.touched(domain, "users")?)));
        read + left_out.sum::<usize>()
    }
}

/// The number of things whose names are not among these.
pub(crate) fn same<T>(things: &BTreeMap<LocalPart, T>, touched: &[LocalPart]) -> usize {
    things.len() - touched.iter().filter(|name| things.contains_key(*name)).count()
}

/// Whether a blueprint has a thing with an address, or a domain.
pub(crate) fn has(side: &Blueprint, id: &ObjectId) -> bool {
    let found = || {
        let mail: &MailDomain = side.domains.get(&id.domain()?.parse::<Domain>().ok()?)?;
        let local = id.local().and_then(|local| LocalPart::new(local).ok());
        Some(match (id.kind(), local) {
            (Kind::Domain, _) => true,
            (Kind::User, Some(local)) => mail.users.contains_key(&local),
            (Kind::List, Some(local)) => mail.lists.contains_key(&local),
            (Kind::Autoresponder, Some(local)) => mail.responders.contains_key(&local),
            _ => false,
        })
    };
    found().unwrap_or(false)
}

/// The section of a domain in which things of a kind stand.
const fn section(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::User => Some("users"),
        Kind::List => Some("lists"),
        Kind::Autoresponder => Some("responders"),
        _ => None,
    }
}
