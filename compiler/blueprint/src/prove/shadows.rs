//! Shadowed names: a declared address that looks like another one with a detail. (For commands to lists see `lists`.)

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_site::{Gap, MailDomain, Place, Site};

use super::mail_domains;
use crate::codes;
use crate::findings::Findings;
use crate::model::Blueprint;

/// Reports each declared address that takes another address's mail and leads somewhere else.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    for (domain, mail) in mail_domains(site) {
        let Some(separator) = mail.subaddress.value.separator() else { continue };
        if site.gaps.any(|gap| matches!(gap, Gap::Names(of) | Gap::Way(of, _) if of == domain)) {
            continue;
        }
        // Few domains have a name of this form; for the others no table is made.
        if every_name(mail).any(|(name, ..)| name.contains(separator)) {
            let names = every_name(mail).map(|(name, place, what)| (name, (place, what))).collect();
            details(blueprint, domain, separator, &names, findings);
        }
    }
}

/// The place where each name is declared, and its kind.
type Names<'a> = BTreeMap<&'a str, (&'a Place, &'static str)>;

/// All names of a domain, users last, so that a name that is also a user's is reported as one.
fn every_name(mail: &MailDomain) -> impl Iterator<Item = (&str, &Place, &'static str)> {
    let robots = mail.autoresponders.iter().map(|(local, robot)| (local.as_str(), &robot.place, "an autoresponder"));
    let lists = mail.lists.iter().map(|(local, list)| (local.as_str(), &list.place, "a list"));
    let aliases = mail.aliases.iter().map(|(local, targets)| (local.as_str(), &targets.place, "an alias"));
    let further = mail.users.values().flat_map(|user| &user.value.aliases);
    let further = further.map(|alias| (alias.value.as_str(), &alias.place, "an alias"));
    let users = mail.users.iter().map(|(local, user)| (local.as_str(), &user.place, "a user"));
    robots.chain(lists).chain(aliases).chain(further).chain(users)
}

/// Reports `ada+sales` beside `ada`: mail that people send to ada with this detail ends elsewhere.
fn details(blueprint: &Blueprint, domain: &Domain, separator: char, names: &Names<'_>, findings: &mut Findings) {
    for (name, (place, what)) in names {
        let owners = name.rmatch_indices(separator).filter_map(|(at, _)| names.get_key_value(name.get(..at)?));
        // A list's detail is a command, and an address always has a name before the detail.
        let Some((owner, (declared, as_what))) = owners.into_iter().next() else { continue };
        if *as_what == "a list" || leads_to(blueprint, domain, name, owner) {
            continue;
        }
        let detail = name.get(owner.len() + 1..).unwrap_or_default();
        let message =
            format!("{name}@{domain} is {what}, so mail for {owner} with the detail {detail:?} never reaches {owner}");
        findings
            .add(codes::SHADOWED_DETAIL, place, message)
            .hint("take another name, or another `subaddress` for the domain; or silence this if it is meant")
            .related(declared, &format!("{owner} is declared here as {as_what}"));
    }
}

/// Whether an alias leads to the owner of the name it begins with.
fn leads_to(blueprint: &Blueprint, domain: &Domain, name: &str, owner: &str) -> bool {
    let targets = || {
        let mail = blueprint.domains.get(domain)?;
        mail.aliases.get(&LocalPart::new(name).ok()?)
    };
    targets().into_iter().flatten().any(|target| {
        blueprint.own_address(target).is_some_and(|(home, local)| home == domain && local.as_str() == owner)
    })
}
