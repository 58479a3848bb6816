//! Every target within our domains exists.

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_control::closest;
use postkiln_routing::{Route, Step};
use postkiln_site::{CatchAll, Place, Site};

use super::{mail_domains, named_targets};
use crate::codes;
use crate::findings::Findings;
use crate::model::Blueprint;
use crate::world::World;

/// Reports targets that would be refused. What a forward leads to further on is reported where that stands.
pub(super) fn check(site: &Site, blueprint: &Blueprint, world: &mut World<'_>, findings: &mut Findings) {
    for (name, mail) in mail_domains(site) {
        for (target, who) in named_targets(mail) {
            if dangles(world, &target.value) {
                report(blueprint, &who, &target.value, &target.place, findings);
            }
        }
        let postmaster = Address::new(mail.postmaster.value.clone(), name.clone());
        if dangles(world, &postmaster) {
            report(blueprint, "the postmaster", &postmaster, &mail.postmaster.place, findings);
        }
        let reports = [
            ("who gets DMARC reports", Some(&mail.publishing.dmarc.value.reports)),
            ("who gets reports about TLS", mail.publishing.tls_rpt.as_ref()),
        ];
        for (who, address) in reports {
            if let Some(address) = address.filter(|address| dangles(world, &address.value)) {
                report(blueprint, who, &address.value, &address.place, findings);
            }
        }
        if let CatchAll::Deliver(target) = &mail.catch_all.value {
            // One that leads to an undeclared address of its own domain is a circle, which `loops` reports.
            if dangles(world, target) && blueprint.own_address(target).is_none_or(|(domain, _)| domain != name) {
                report(blueprint, "the catch-all", target, &mail.catch_all.place, findings);
            }
        }
    }
}

fn dangles(world: &mut World<'_>, target: &Address) -> bool {
    match world.trace(target) {
        Ok((Route::NoSuchAddress(_), steps)) => !steps.iter().any(|step| matches!(step, Step::Followed(_))),
        _ => false,
    }
}

fn report(blueprint: &Blueprint, who: &str, target: &Address, place: &Place, findings: &mut Findings) {
    let message = format!("{who} is {target}, which does not exist");
    let near = blueprint.own_address(target).and_then(|(domain, local)| nearest(blueprint, domain, &local));
    let hint = match near {
        Some(near) => format!("did you mean {near:?}?"),
        None => "declare it as a user, an alias or a list, or correct the name".to_owned(),
    };
    findings.add(codes::DANGLING, place, message).hint = Some(hint);
}

fn nearest(blueprint: &Blueprint, domain: &Domain, local: &LocalPart) -> Option<String> {
    let mail = blueprint.domains.get(domain)?;
    let names = mail.users.keys().chain(mail.aliases.keys()).chain(mail.lists.keys()).chain(mail.responders.keys());
    closest(local.as_str(), names.map(LocalPart::as_str)).map(str::to_owned)
}
