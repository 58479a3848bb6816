//! Guards: changes that lose mail or access, which no later commit brings back. A plan makes them only when a person
//! allows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use postkiln_blueprint::{Blueprint, Kind, MailDomain, ObjectId, Purpose};
use postkiln_findings::{Code, Diagnostic, Place, codes};
use serde_json::Value;

use crate::Side;
use crate::before::Before;
use crate::change::{Action, Change};
use crate::dns::DnsChange;
use crate::rotation::Rotation;
use crate::words::some;

/// The guards, by the names that `--allow` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the codes explain them")]
pub enum GuardName {
    RemoveDomain,
    RemoveMany,
    ShrinkQuota,
    RemoveAdmin,
    Dns,
    CloseListener,
    Downgrade,
    NewImage,
}

impl GuardName {
    /// Every guard, in the order in which plans show them.
    pub const ALL: [Self; 8] = [
        Self::RemoveDomain,
        Self::RemoveMany,
        Self::ShrinkQuota,
        Self::RemoveAdmin,
        Self::Dns,
        Self::CloseListener,
        Self::Downgrade,
        Self::NewImage,
    ];

    /// The name as it is written after `--allow`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RemoveDomain => "remove-domain",
            Self::RemoveMany => "remove-many",
            Self::ShrinkQuota => "shrink-quota",
            Self::RemoveAdmin => "remove-admin",
            Self::Dns => "dns",
            Self::CloseListener => "close-listener",
            Self::Downgrade => "downgrade",
            Self::NewImage => "new-image",
        }
    }

    /// The finding's code that explains the guard.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::RemoveDomain => codes::REMOVE_DOMAIN,
            Self::RemoveMany => codes::REMOVE_MANY,
            Self::ShrinkQuota => codes::SHRINK_QUOTA,
            Self::RemoveAdmin => codes::REMOVE_ADMIN,
            Self::Dns => codes::UNPUBLISHED,
            Self::CloseListener => codes::CLOSE_LISTENER,
            Self::Downgrade => codes::DOWNGRADE,
            Self::NewImage => codes::NEW_IMAGE,
        }
    }
}

impl fmt::Display for GuardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for GuardName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|guard| guard.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::name);
            let near = postkiln_findings::suggest::nearest(text, known);
            near.map_or_else(|| format!("one of {}", known.join(", ")), |near| format!("did you mean {near:?}?"))
        })
    }
}

/// A guard that stands in the way of a plan.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The guard's name.
    pub name: GuardName,
    /// The loss that the plan would cause, in a sentence without a full stop.
    pub message: String,
    /// The names of the things that would be lost.
    pub objects: Vec<String>,
    /// The place where the first of them is, or was, written.
    pub place: Option<Place>,
    /// Whether a person allowed the loss.
    pub allowed: bool,
}

impl Guard {
    /// The guard as a finding, for output forms that show findings.
    #[must_use]
    pub fn finding(&self) -> Diagnostic {
        let mut finding = Diagnostic::new(self.name.code(), self.message.clone());
        finding.place = self.place.clone();
        finding.hint(format!("say --allow {} when this is meant", self.name));
        finding
    }
}

/// The parts of a plan that guards look at.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) changes: &'a [Change],
    pub(crate) dns: &'a [DnsChange],
    pub(crate) rotations: &'a [Rotation],
}

/// The guards that stand in the way of a plan.
pub(crate) fn guards(base: &Side<'_>, new: &Side<'_>, told: &Told<'_>, allowed: &[GuardName]) -> Vec<Guard> {
    let Told { changes, dns, rotations } = *told;
    let called = [
        domains(base.blueprint, new.blueprint, changes),
        many(&Before::new(base, new), changes),
        quotas(changes),
        admins(base.blueprint, new.blueprint, changes),
        records(new.blueprint, base.blueprint, dns, rotations),
        listeners(changes),
        downgrade(base, new),
        new_image(base, new),
    ];
    let mut guards: Vec<Guard> = called.into_iter().flatten().collect();
    for guard in &mut guards {
        guard.allowed = allowed.contains(&guard.name);
    }
    guards
}

/// A guard about these things; `None` when there are none.
fn guard(name: GuardName, things: &[&Change], message: impl FnOnce(usize) -> String) -> Option<Guard> {
    let first = things.first()?;
    Some(Guard {
        name,
        message: message(things.len()),
        objects: things.iter().map(|change| change.id.to_string()).collect(),
        place: first.place.clone(),
        allowed: false,
    })
}

fn removed(changes: &[Change], kind: Kind) -> Vec<&Change> {
    changes.iter().filter(|change| change.action == Action::Remove && change.id.kind() == kind).collect()
}

/// Domains whose mail would be refused, alias domains among them; and domains that lose their users by becoming one.
fn domains(base: &Blueprint, new: &Blueprint, changes: &[Change]) -> Option<Guard> {
    let known = |change: &Change| {
        let mut names = new.domains.keys().chain(new.alias_domains.keys());
        names.any(|name| name.as_str() == change.id.name())
    };
    let had_users = |change: &Change| base.domains.keys().any(|name| name.as_str() == change.id.name());
    let mut gone = removed(changes, Kind::Domain);
    gone.retain(|change| !known(change) || had_users(change));
    guard(GuardName::RemoveDomain, &gone, |count| {
        let first = gone.first().map(|change| change.id.name()).unwrap_or_default();
        match count {
            1 => format!("the domain {first} would be removed"),
            _ => format!("{count} domains would be removed, {first} among them"),
        }
    })
}

fn many(base: &Before<'_>, changes: &[Change]) -> Option<Guard> {
    let gone = removed(changes, Kind::User);
    let all = base.users();
    if gone.len() <= MOST_REMOVED && gone.len() * 10 <= all {
        return None;
    }
    guard(GuardName::RemoveMany, &gone, |count| format!("{count} of {all} users would be removed"))
}

fn quotas(changes: &[Change]) -> Option<Guard> {
    let octets = |value: &Option<Value>| value.as_ref().map_or(Some(u64::MAX), Value::as_u64);
    let shrinks = |change: &&Change| {
        let mut quotas = change.attributes.iter().filter(|attribute| attribute.field.name.starts_with("quota"));
        change.id.kind() == Kind::User
            && change.action == Action::Change
            && quotas.any(|quota| octets(&quota.after) < octets(&quota.before))
    };
    let smaller: Vec<&Change> = changes.iter().filter(shrinks).collect();
    guard(GuardName::ShrinkQuota, &smaller, |count| {
        let whose = if count == 1 { "1 quota".to_owned() } else { format!("{count} quotas") };
        format!("{whose} would shrink; how much the mailboxes hold is not known without the node")
    })
}

fn admins(base: &Blueprint, new: &Blueprint, changes: &[Change]) -> Option<Guard> {
    if !base.operators.is_empty() && new.operators.is_empty() {
        let appliance: Vec<&Change> = changes.iter().filter(|change| change.id.kind() == Kind::Appliance).collect();
        return guard(GuardName::RemoveAdmin, &appliance, |_| "the last operator would be removed".to_owned());
    }
    let administered = |side: &Blueprint| -> BTreeSet<String> {
        let has = |mail: &MailDomain| mail.users.values().any(|user| user.admin && !user.disabled);
        side.domains.iter().filter(|(_, mail)| has(mail)).map(|(name, _)| name.to_string()).collect()
    };
    let after = administered(new);
    let left = |name: &&String| !after.contains(*name) && new.domains.keys().any(|domain| domain.as_str() == *name);
    let before = administered(base);
    let names: Vec<&String> = before.iter().filter(left).collect();
    let of_them = |change: &&Change| {
        change.id.kind() == Kind::User && names.iter().any(|name| change.id.domain() == Some(name.as_str()))
    };
    let theirs: Vec<&Change> = changes.iter().filter(of_them).filter(|change| touches_admin(change)).collect();
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    guard(GuardName::RemoveAdmin, &theirs, |_| format!("{} would have no administrator any more", some(&names)))
}

fn touches_admin(change: &Change) -> bool {
    let fields = ["admin", "disabled"];
    change.action == Action::Remove || change.attributes.iter().any(|attribute| fields.contains(&attribute.field.name))
}

/// Keys and exchangers that mail relied on and that are replaced or withdrawn.
fn records(new: &Blueprint, base: &Blueprint, dns: &[DnsChange], rotations: &[Rotation]) -> Option<Guard> {
    let mut zones: BTreeMap<&str, Option<&Place>> = BTreeMap::new();
    let known = |zone: &str, side: &Blueprint| side.zones.keys().any(|name| name.as_str() == zone);
    for record in dns {
        let stays = known(&record.zone, new) && known(&record.zone, base);
        let relied_on =
            matches!(record.purpose, Purpose::Dkim | Purpose::MailExchanger) && record.action != Action::Add;
        // The record of a key that has ceased to sign may go as planned.
        let retired = rotations.iter().any(|one| !one.relied_on && one.is_of(&record.name));
        if stays && relied_on && !retired {
            zones.entry(&record.zone).or_insert(record.place.as_ref());
        }
    }
    for rotation in rotations.iter().filter(|rotation| rotation.relied_on) {
        zones.entry(&rotation.domain).or_insert(rotation.place.as_ref());
    }
    let first = zones.values().next()?;
    let names: Vec<&str> = zones.keys().copied().collect();
    Some(Guard {
        name: GuardName::Dns,
        message: format!(
            "mail of {} depends on records and keys that change; what the world sees was not asked",
            some(&names)
        ),
        objects: zones.keys().map(|zone| ObjectId::new(Kind::Zone, zone).to_string()).collect(),
        place: first.cloned(),
        allowed: false,
    })
}

fn listeners(changes: &[Change]) -> Option<Guard> {
    let closes = |change: &&Change| {
        let moved = || change.attributes.iter().any(|attribute| attribute.field.name == "port");
        change.id.kind() == Kind::Listener
            && (change.action == Action::Remove || (change.action == Action::Change && moved()))
    };
    let closed: Vec<&Change> = changes.iter().filter(closes).collect();
    guard(GuardName::CloseListener, &closed, |_| {
        let names: Vec<&str> = closed.iter().map(|change| change.id.name()).collect();
        format!("what listens as {} would be closed or moved", names.join(", "))
    })
}

fn downgrade(base: &Side<'_>, new: &Side<'_>) -> Option<Guard> {
    let pairs = [
        ("schema", u64::from(base.manifest.schema), u64::from(new.manifest.schema)),
        ("generation", base.blueprint.generation, new.blueprint.generation),
    ];
    let (what, before, after) = pairs.into_iter().find(|(_, before, after)| after < before)?;
    Some(Guard {
        name: GuardName::Downgrade,
        message: format!("the base has {what} {before}, and this would go back to {after}"),
        objects: vec![ObjectId::single(Kind::Appliance).to_string()],
        place: None,
        allowed: false,
    })
}

/// The areas for bundles on the disk were cut for the base.
fn new_image(base: &Side<'_>, new: &Side<'_>) -> Option<Guard> {
    let mebibytes = |side: &Side<'_>| side.manifest.room() >> 20;
    let (before, after) = (mebibytes(base), mebibytes(new));
    (after > before).then(|| Guard {
        name: GuardName::NewImage,
        message: format!("an image of the base has {before} MiB for a bundle, and this one is cut for {after} MiB"),
        objects: vec![ObjectId::single(Kind::Appliance).to_string()],
        place: None,
        allowed: false,
    })
}

/// The number of removed users, or else a tenth of all, beyond which a removal is rarely meant.
const MOST_REMOVED: usize = 25;
