//! Proofs over the finished blueprint, by the same walk of mail that the node uses.

mod bad_lists;
mod certificate;
mod dns;
mod expectations;
mod lengths;
mod limits;
mod lists;
mod loops;
mod machine;
mod networks;
mod relay;
mod robots;
mod routes;
mod secrets;
mod sending;
mod shadows;
mod targets;

use postkiln_site::{DomainEntry, MailDomain, Site};

use crate::findings::Findings;
use crate::model::Blueprint;
use crate::world::World;

pub(crate) use dns::check as dns;

/// Runs every proof except those of zones.
pub(crate) fn all(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let mut world = World::new(blueprint);
    let edges = sending::edges(site, blueprint, &mut world);
    targets::check(site, blueprint, &edges, findings);
    loops::check(&edges, findings);
    robots::check(blueprint, &edges, findings);
    shadows::check(site, blueprint, findings);
    lists::check(site, findings);
    limits::check(site, blueprint, findings);
    relay::check(site, blueprint, findings);
    networks::check(site, findings);
    routes::check(site, blueprint, findings);
    bad_lists::check(site, blueprint, findings);
    machine::check(site, blueprint, findings);
    lengths::check(site, blueprint, findings);
    certificate::check(site, findings);
    secrets::check(site, findings);
    expectations::check(site, blueprint, &mut world, findings);
}

/// The mail domains of the site.
fn mail_domains(site: &Site) -> impl Iterator<Item = (&postkiln_address::Domain, &MailDomain)> {
    site.domains.iter().filter_map(|(name, entry)| match &entry.value {
        DomainEntry::Mail(mail) => Some((name, &**mail)),
        DomainEntry::AliasOf(_) => None,
    })
}
