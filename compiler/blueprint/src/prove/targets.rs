//! Targets: each is an address that takes mail, and probably the meant one.

use postkiln_address::{Domain, LocalPart};
use postkiln_findings::Place;
use postkiln_findings::suggest;
use postkiln_site::{MailDomain, Section, Site};

use super::mail_domains;
use super::sending::{Edge, Role};
use crate::codes;
use crate::findings::Findings;
use crate::model::{Blueprint, CatchAll};
use crate::world::Owner;

/// Reports targets that are refused, dropped, or taken by a catch-all. Faults further along the way are reported at
/// their own place.
pub(super) fn check(site: &Site, blueprint: &Blueprint, edges: &[Edge<'_>], findings: &mut Findings) {
    for (name, mail) in mail_domains(site) {
        closed_himself(name, mail, blueprint, findings);
    }
    let has_all_domains = !site.gaps.any_section(&[Section::Appliance, Section::Domains]);
    for edge in edges {
        match &edge.to {
            Owner::Declared(..) => {}
            Owner::Outside if has_all_domains => outside(site, edge, findings),
            Owner::Outside => {}
            Owner::Nobody => nobody(blueprint, edge, findings),
            Owner::Closed => closed(edge, findings),
            Owner::CatchAll(domain) => caught(blueprint, edge, domain, findings),
        }
    }
}

fn nobody(blueprint: &Blueprint, edge: &Edge<'_>, findings: &mut Findings) {
    let message = format!("{} is {}, which does not exist", edge.who(), edge.target);
    let near = blueprint.own_address(&edge.target).and_then(|(domain, local)| nearest(blueprint, domain, &local));
    findings.add(codes::DANGLING, edge.place, message).hint(match near {
        Some(near) => format!("did you mean {near:?}?"),
        None => "declare it as a user, an alias or a list, or correct the name".to_owned(),
    });
}

/// Reports a target at the machine's own name, where nobody has a mailbox: the way out would lead back here.
fn outside(site: &Site, edge: &Edge<'_>, findings: &mut Findings) {
    let hostname = &site.appliance.hostname.value;
    if edge.target.domain() == hostname {
        let message = format!("{} is {}, at this machine, which is no mail domain", edge.who(), edge.target);
        findings
            .add(codes::OWN_HOST, edge.place, message)
            .hint("name an address of one of the domains, or make the host's name a domain: `alias_of`")
            .related(&site.appliance.hostname.place, "the machine's name");
    }
}

fn closed(edge: &Edge<'_>, findings: &mut Findings) {
    let who = edge.who();
    if edge.role == Role::Postmaster {
        return postmaster_closed(&edge.target.to_string(), edge.place, findings);
    }
    findings
        .add(
            codes::CLOSED_TARGET,
            edge.place,
            format!("{who} is {}, a closed account: mail for it is refused", edge.target),
        )
        .hint("name somebody else, or remove it");
}

/// Reports a closed user called `postmaster`: this one leads to no further address, so there is no edge about it.
fn closed_himself(name: &Domain, mail: &MailDomain, blueprint: &Blueprint, findings: &mut Findings) {
    let users = blueprint.domains.get(name).map(|domain| (&domain.postmaster, &domain.users));
    let himself = users.filter(|(postmaster, _)| postmaster.as_str() == "postmaster");
    if himself.and_then(|(postmaster, users)| users.get(postmaster)).is_some_and(|user| user.disabled) {
        postmaster_closed(&format!("postmaster@{name}"), &mail.postmaster.place, findings);
    }
}

fn postmaster_closed(who: &str, place: &Place, findings: &mut Findings) {
    findings
        .add(codes::POSTMASTER_CLOSED, place, format!("the postmaster {who} is a closed account"))
        .hint("every domain takes mail for postmaster (RFC 5321 §4.5.1): name somebody else");
}

/// Reports a target that only a catch-all takes: that is a slip more often than not.
fn caught(blueprint: &Blueprint, edge: &Edge<'_>, domain: &Domain, findings: &mut Findings) {
    if edge.role == Role::CatchAll {
        // A circle within one domain is reported by `loops`.
        if edge.from.0 != domain {
            let message = format!("the catch-all leads to {}, which only the catch-all of {domain} takes", edge.target);
            findings.add(codes::CAUGHT_TWICE, edge.place, message).hint("name the address where the mail should end");
        }
        return;
    }
    let fate = match blueprint.domains.get(domain).map(|mail| &mail.catch_all) {
        Some(CatchAll::Discard) => "drops its mail".to_owned(),
        Some(CatchAll::Deliver(address)) => format!("sends its mail to {address}"),
        Some(CatchAll::Reject) | None => "takes it".to_owned(),
    };
    let message = format!("{} is {}, which is not declared: the catch-all of {domain} {fate}", edge.who(), edge.target);
    let near = blueprint.own_address(&edge.target).and_then(|(domain, local)| nearest(blueprint, domain, &local));
    let hint = near.map_or_else(
        || "declare it, or name the address where the mail should end".to_owned(),
        |near| format!("did you mean {near:?}?"),
    );
    findings.add(codes::CAUGHT_TARGET, edge.place, message).hint(hint);
}

fn nearest(blueprint: &Blueprint, domain: &Domain, local: &LocalPart) -> Option<String> {
    let mail = blueprint.domains.get(domain)?;
    let names = mail.users.keys().chain(mail.aliases.keys()).chain(mail.lists.keys()).chain(mail.responders.keys());
    suggest::nearest(local.as_str(), names.map(LocalPart::as_str)).map(str::to_owned)
}
