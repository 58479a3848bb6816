//! [`Plan`]: the difference of two blueprints in terms of mail, its effects on the node, and the losses a person must
//! allow.
//!
//! Compares models, never text. Knows no network, no clock and no files; the caller knows where the two sides come
//! from. Start at [`Plan::new`].

mod before;
mod change;
mod dns;
mod guards;
mod patch;
mod renames;
mod replay;
mod rotation;
mod show;
mod units;
mod walk;
mod words;

use postkiln_blueprint::impact::Class;
use postkiln_blueprint::{Blueprint, Kind, ObjectId, Touched};
use postkiln_bundle::Manifest;
use postkiln_control::Queuelifetime;
use postkiln_findings::{Diagnostic, Place};
use sha2::{Digest, Sha256};

use before::Before;

pub use change::{Action, Attribute, Change};
pub use dns::{DnsChange, When};
pub use guards::{Guard, GuardName};
pub use patch::{Operation, PatchError, apply};
pub use replay::{Envelope, Fate, Replayed, envelopes, replay};
pub use rotation::{Rotation, Step};
pub use show::{Style, impact_page, json, markdown, text};
pub use units::{Artefact, Impact, Unit};
pub use walk::Unchanged;

/// One of the two states that are compared.
pub struct Side<'a> {
    /// The state itself.
    pub blueprint: &'a Blueprint,
    /// The table of contents of the state's bundle.
    pub manifest: &'a Manifest,
    /// Finds where things of this state were written.
    pub places: &'a dyn Places,
    /// A name for people: `bundle out`, `revision main (1a2b3c4)`.
    pub label: String,
    /// Where the blueprint of a base lacks the things that are the same on the new side: the names of the others.
    pub touched: Option<&'a Touched>,
}

/// Finds where a thing, or a field of it, was written.
pub trait Places {
    /// The narrowest known place; `None` for a thing or field that nobody wrote.
    fn place(&self, id: &ObjectId, path: &[&str]) -> Option<Place>;
}

/// The difference of two blueprints, with everything that follows from it.
#[derive(Debug)]
pub struct Plan {
    /// The base, as the caller named it.
    pub base: Named,
    /// The new state.
    pub new: Named,
    /// The new state's host name.
    pub hostname: String,
    /// Things added, changed and removed, sorted by domain, kind and name; secrets among them.
    pub changes: Vec<Change>,
    /// How many things are equal on both sides.
    pub unchanged: Unchanged,
    /// Records to publish and to withdraw.
    pub dns: Vec<DnsChange>,
    /// Steps that DKIM keys take.
    pub rotations: Vec<Rotation>,
    /// The node's reaction: which roles act, and how.
    pub impact: Impact,
    /// Losses that a person must allow.
    pub guards: Vec<Guard>,
    /// Findings about the new state, and about the plan itself.
    pub warnings: Vec<Diagnostic>,
    /// Seconds that mail may wait in the queue; after that time nothing needs an old key.
    pub queue_lifetime: u64,
    /// A JSON Patch (RFC 6902) that makes the base's `blueprint.json` the new one.
    pub operations: Vec<Operation>,
}

/// A side's name in the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The bundle's identity, in hex.
    pub bundle: String,
    /// The name for people, as in [`Side::label`].
    pub label: String,
}

impl Plan {
    /// Compares two states. `warnings` are the findings about the new side; `allowed` are guards that a person lets
    /// pass.
    #[must_use]
    pub fn new(base: &Side<'_>, new: &Side<'_>, warnings: Vec<Diagnostic>, allowed: &[GuardName]) -> Self {
        let mut compared = walk::walk(&Before::new(base, new), new.blueprint);
        for change in &mut compared.changes {
            change.locate(base.places, new.places);
        }
        let dns = dns::changes(base.blueprint, new.blueprint, new.places, base.places);
        let rotations = rotation::rotations(base.blueprint, new.blueprint, new.places);
        let impact = units::impact(base, new, &compared.changes);
        let told = guards::Told { changes: &compared.changes, dns: &dns, rotations: &rotations };
        let guards = guards::guards(base, new, &told, allowed);
        Self {
            base: named(base),
            new: named(new),
            hostname: new.blueprint.hostname.to_string(),
            changes: compared.changes,
            unchanged: compared.unchanged,
            dns,
            rotations,
            impact,
            guards,
            warnings,
            queue_lifetime: queue_lifetime(new.blueprint),
            operations: compared.operations,
        }
    }

    /// Whether both states make the same machine.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.dns.is_empty() && self.impact.units.is_empty()
    }

    /// Whether all guards are allowed.
    #[must_use]
    pub fn is_applyable(&self) -> bool {
        self.guards.iter().all(|guard| guard.allowed)
    }

    /// An id for this plan, made of the first digits of the new bundle, of the base, and of a hash of the actions
    /// between them. Another base, another site or another compiler gives another id.
    #[must_use]
    pub fn id(&self) -> String {
        let actions = serde_json::to_vec(&self.operations).unwrap_or_default();
        let digest: String = Sha256::digest(&actions).iter().take(2).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{digest}", self.new.short(), self.base.short())
    }

    /// The number of changes of one action, secrets not included.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action && change.id.kind() != Kind::Secret).count()
    }

    /// The number of changes of secrets.
    #[must_use]
    pub fn secrets(&self) -> usize {
        self.changes.iter().filter(|change| change.id.kind() == Kind::Secret).count()
    }

    /// The most disturbing class of all units.
    #[must_use]
    pub fn class(&self) -> Class {
        self.impact.class
    }
}

impl Named {
    /// The first digits of the bundle's identity.
    #[must_use]
    pub fn short(&self) -> &str {
        self.bundle.get(..6).unwrap_or(&self.bundle)
    }
}

fn queue_lifetime(blueprint: &Blueprint) -> u64 {
    blueprint.control_file::<Queuelifetime>().unwrap_or_default().0
}

fn named(side: &Side<'_>) -> Named {
    Named { bundle: side.manifest.identity.clone(), label: side.label.clone() }
}

#[cfg(test)]
mod tests;
