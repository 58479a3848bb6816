//! Proofs over the finished blueprint: what it would do with mail, asked of the same walk the node uses.

mod bad_lists;
mod certificate;
mod dns;
mod expectations;
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

/// Every proof but those of zones.
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
    certificate::check(site, findings);
    secrets::check(site, findings);
    expectations::check(site, blueprint, &mut world, findings);
}

/// The site's domains of their own.
fn mail_domains(site: &Site) -> impl Iterator<Item = (&postkiln_address::Domain, &MailDomain)> {
    site.domains.iter().filter_map(|(name, entry)| match &entry.value {
        DomainEntry::Mail(mail) => Some((name, &**mail)),
        DomainEntry::AliasOf(_) => None,
    })
}
