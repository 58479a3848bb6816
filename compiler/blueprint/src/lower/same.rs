//! Targets that are one mailbox, however they are spelled: in capitals, in an alias domain, with a detail, by another
//! name of the same person. The blueprint has each once, so that nobody gets two copies and a plan shows no change.

use std::collections::BTreeMap;

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_findings::{Place, codes};
use postkiln_site::{DomainEntry, MailDomain, Placed, Site, Target};

use crate::findings::Findings;
use crate::model::{self, Blueprint};

/// Gives targets of aliases and forwards their one spelling, and drops those that lead where one before them leads.
/// Members of a list stay as they are written, since they may post by these names.
pub(super) fn unite(site: &Site, blueprint: &mut Blueprint, findings: &mut Findings) {
    let mut forwards: Vec<(&Domain, &LocalPart, Vec<Address>)> = Vec::new();
    let mut aliases: Vec<(&Domain, &LocalPart, Vec<Address>)> = Vec::new();
    for (domain, mail) in mail_domains(site) {
        for (local, targets) in &mail.aliases {
            let who = || format!("the alias {local}");
            aliases.push((domain, local, united(blueprint, &targets.value, who, findings)));
        }
        for (local, user) in &mail.users {
            if let Some(forward) = &user.value.forward {
                let who = || format!("the forward of {local}");
                forwards.push((domain, local, united(blueprint, &forward.value.to, who, findings)));
            }
        }
        for (local, list) in &mail.lists {
            united(blueprint, &list.value.members, || format!("the list {local}"), findings);
        }
    }
    for (domain, local, targets) in aliases {
        let mail = blueprint.domains.get_mut(domain);
        if let Some(lowered) = mail.and_then(|mail| mail.aliases.get_mut(local)) {
            *lowered = targets;
        }
    }
    for (domain, local, targets) in forwards {
        let user = blueprint.domains.get_mut(domain).and_then(|mail| mail.users.get_mut(local));
        if let Some(forward) = user.and_then(|user| user.forward.as_mut()) {
            forward.to = targets;
        }
    }
}

fn mail_domains(site: &Site) -> impl Iterator<Item = (&Domain, &MailDomain)> {
    site.domains.iter().filter_map(|(name, entry)| match &entry.value {
        DomainEntry::Mail(mail) => Some((name, &**mail)),
        DomainEntry::AliasOf(_) => None,
    })
}

/// The targets without those that are the same mailbox as one before them, which are reported.
fn united(
    blueprint: &Blueprint,
    targets: &[Placed<Target>],
    who: impl Fn() -> String,
    findings: &mut Findings,
) -> Vec<Address> {
    if let [only] = targets {
        return vec![spelled(blueprint, &only.value)];
    }
    // By where it ends: the place of the first target, and the spelling that stays.
    let mut ends: BTreeMap<Address, (&Place, Address)> = BTreeMap::new();
    for target in targets {
        let (end, spelled) = (end(blueprint, &target.value), spelled(blueprint, &target.value));
        let Some((first, kept)) = ends.get_mut(&end) else {
            ends.insert(end, (&target.place, spelled));
            continue;
        };
        let message = format!("{} is the mailbox {end}, which {} names already", target.value, who());
        findings
            .add(codes::TARGET_AGAIN, &target.place, message)
            .hint("name it once: who it is gets one copy")
            .related(first, "named here before");
        // The mailbox itself, else the first name in the alphabet: the order of the targets means nothing.
        if *kept != end && (spelled == end || spelled < *kept) {
            *kept = spelled;
        }
    }
    ends.into_values().map(|(_, kept)| kept).collect()
}

/// An address of ours as it is declared: in its domain of its own, in lower case.
fn spelled(blueprint: &Blueprint, address: &Address) -> Address {
    let own = blueprint.own_address(address);
    own.map_or_else(|| address.clone(), |(domain, local)| Address::new(local, domain.clone()))
}

/// Where mail for an address ends, as far as aliases take it on to one address alone. A person is an end even where
/// their mail is forwarded: they may change that, and two people who forward to one place are two targets.
fn end(blueprint: &Blueprint, address: &Address) -> Address {
    let mut here = spelled(blueprint, address);
    for _ in 0..LONGEST_CHAIN {
        match next(blueprint, &here) {
            Some(next) => here = spelled(blueprint, &next),
            None => break,
        }
    }
    here
}

/// The one address that mail for this one goes on to.
fn next(blueprint: &Blueprint, here: &Address) -> Option<Address> {
    let mail = blueprint.domains.get(here.domain())?;
    let local = here.local();
    let sole = |targets: &[Address]| if let [only] = targets { Some(only.clone()) } else { None };
    if mail.responders.contains_key(local) || mail.lists.contains_key(local) {
        return None;
    }
    if let Some(targets) = mail.aliases.get(local) {
        return sole(targets);
    }
    if mail.users.contains_key(local) {
        return None;
    }
    without_detail(mail, local).map(|owner| Address::new(owner, here.domain().clone()))
}

/// The longest part of a local part before a separator that is somebody (RFC 5233); a list's name is none.
fn without_detail(mail: &model::MailDomain, local: &LocalPart) -> Option<LocalPart> {
    let separator = mail.subaddress.separator()?;
    let is_somebody = |name: &&str| mail.users.contains_key(*name) || mail.aliases.contains_key(*name);
    let text = local.as_str();
    let owner = text.rmatch_indices(separator).filter_map(|(at, _)| text.get(..at)).find(is_somebody)?;
    LocalPart::new(owner).ok()
}

/// Circles are reported elsewhere.
const LONGEST_CHAIN: usize = 50;
