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

use postkiln_site::{DomainEntry, Gap, MailDomain, Section, Site};

use crate::findings::Findings;
use crate::model::Blueprint;
use crate::world::World;

pub(crate) use dns::check as dns;

/// Runs every proof except those of zones. One that is judged by a part of the site that could not be read is left out:
/// the sections are named here, and each proof looks for parts of domains itself.
pub(crate) fn all(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    use Section::{Antivirus, Appliance, Control, Dns, Domains, Secrets, Smtp, Storage, Tls};
    let gaps = &site.gaps;
    let known = |sections: &[Section]| !gaps.any_section(sections);
    let mut world = World::new(blueprint);
    let edges = sending::edges(site, blueprint, &mut world);
    targets::check(site, blueprint, &edges, findings);
    loops::check(&edges, findings);
    robots::check(site, blueprint, &edges, findings);
    shadows::check(site, blueprint, findings);
    lists::check(site, findings);
    limits::check(site, blueprint, findings);
    if known(&[Smtp, Control, Domains]) {
        relay::check(site, blueprint, findings);
        bad_lists::check(site, blueprint, findings);
        expectations::check(site, blueprint, &mut world, findings);
    }
    networks::check(site, findings);
    if known(&[Appliance, Dns, Smtp, Control, Domains]) {
        routes::check(site, blueprint, findings);
    }
    if known(&[Appliance, Smtp, Control, Antivirus]) {
        machine::check(site, blueprint, findings);
    }
    lengths::check(site, blueprint, findings);
    if known(&[Appliance, Tls, Domains, Secrets]) {
        certificate::check(site, findings);
    }
    if known(&[Smtp, Tls, Storage, Domains, Secrets]) {
        secrets::check(site, findings);
    }
}

/// Whether everything is known that zones are made of.
pub(crate) fn can_judge_zones(site: &Site) -> bool {
    use Section::{Appliance, Dns, Domains, Secrets, Smtp, Tls, Web};
    let is_missing = site.gaps.any_section(&[Appliance, Dns, Domains, Secrets, Smtp, Tls, Web]);
    !is_missing && !site.gaps.any(|gap| matches!(gap, Gap::Publishing(_)))
}

/// The mail domains of the site.
fn mail_domains(site: &Site) -> impl Iterator<Item = (&postkiln_address::Domain, &MailDomain)> {
    site.domains.iter().filter_map(|(name, entry)| match &entry.value {
        DomainEntry::Mail(mail) => Some((name, &**mail)),
        DomainEntry::AliasOf(_) => None,
    })
}
