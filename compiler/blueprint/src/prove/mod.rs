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
mod routes;
mod secrets;
mod targets;

use postkiln_site::{DomainEntry, MailDomain, Placed, Site, Target};

use crate::findings::Findings;
use crate::model::Blueprint;
use crate::world::World;

pub(crate) use dns::check as dns;

/// Every proof but those of zones.
pub(crate) fn all(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let mut world = World::new(blueprint);
    targets::check(site, blueprint, &mut world, findings);
    loops::check(site, blueprint, findings);
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

/// A target and what names it.
type Named<'a> = (&'a Placed<Target>, String);

/// Every target that a domain names, with who names it.
fn named_targets<'a>(mail: &'a MailDomain) -> impl Iterator<Item = Named<'a>> {
    let aliases = mail
        .aliases
        .iter()
        .flat_map(|(local, targets)| targets.value.iter().map(move |target| (target, format!("the alias {local}"))));
    let forwards = mail.users.iter().flat_map(|(local, user)| {
        let targets = user.value.forward.iter().flat_map(|forward| &forward.value.to);
        targets.map(move |target| (target, format!("the forward of {local}")))
    });
    let lists = mail.lists.iter().flat_map(|(local, list)| {
        let members = list.value.members.iter().map(move |member| (member, format!("a member of the list {local}")));
        let moderators = list.value.moderators.iter().map(move |one| (one, format!("a moderator of the list {local}")));
        let owner = list.value.owner.iter().map(move |one| (one, format!("the owner of the list {local}")));
        members.chain(moderators).chain(owner)
    });
    aliases.chain(forwards).chain(lists)
}
