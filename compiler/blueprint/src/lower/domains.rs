//! Domains, aliases, lists, autoresponders: every local part in lower case and declared once.

use std::collections::BTreeMap;

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_findings::suggest::nearest;
use postkiln_site as site;
use postkiln_site::{DomainEntry, Gaps, Placed, Section, Site};

use super::names::Names;
use super::placed::values;
use super::{lists, users};
use crate::codes;
use crate::findings::Findings;
use crate::model::{Dkim, Limits, MailDomain};

/// The mail domains, and the alias domains with the domains they stand for.
pub(super) fn lower(site: &Site, findings: &mut Findings) -> (BTreeMap<Domain, MailDomain>, BTreeMap<Domain, Domain>) {
    let mut domains = BTreeMap::new();
    let mut aliases = BTreeMap::new();
    for (name, entry) in &site.domains {
        match &entry.value {
            DomainEntry::Mail(mail) => {
                domains.insert(name.clone(), mail_domain(name, mail, &site.gaps, findings));
            }
            DomainEntry::AliasOf(target) => {
                if check_alias(site, name, target, findings) {
                    aliases.insert(name.clone(), target.value.clone());
                }
            }
        }
    }
    (domains, aliases)
}

fn check_alias(site: &Site, name: &Domain, target: &Placed<Domain>, findings: &mut Findings) -> bool {
    let (problem, hint) = match site.domains.get(&target.value).map(|entry| &entry.value) {
        Some(DomainEntry::Mail(_)) => return true,
        None if site.gaps.any_section(&[Section::Domains]) => return false,
        _ if target.value == *name => ("stands for itself", Some("name a domain with users".to_owned())),
        Some(DomainEntry::AliasOf(further)) => {
            ("is an alias domain itself", Some(format!("name the domain it stands for: {:?}", further.value.as_str())))
        }
        None => {
            let near = nearest(target.value.as_str(), site.domains.keys().map(Domain::as_str));
            ("is not a domain of this site", near.map(|near| format!("did you mean {near:?}?")))
        }
    };
    let message = format!("{name} is an alias of {}, which {problem}", target.value);
    findings.add(codes::ALIAS_DOMAIN, &target.place, message).hint = hint;
    false
}

fn mail_domain<'a>(domain: &'a Domain, mail: &'a site::MailDomain, gaps: &Gaps, findings: &mut Findings) -> MailDomain {
    let mut names = Names::new(domain);
    let users = users::lower(mail, gaps, &mut names, findings);
    let aliases = aliases(domain, mail, &mut names, findings);
    let lists = lists::lower(mail, &mut names, findings);
    let responders = lists::responders(mail, &mut names, findings);
    let postmaster = mail.postmaster.value.to_lower_case();
    let mut lowered = MailDomain {
        postmaster,
        users,
        aliases,
        catch_all: mail.catch_all.value.clone(),
        subaddress: mail.subaddress.value,
        lists,
        responders,
        managed: mail.managed.value,
        limits: limits(mail),
        deny: users::permissions(&mail.deny).collect(),
        dkim: dkim(mail),
    };
    add_postmaster(domain, mail, &mut lowered, &mut names, findings);
    lowered
}

fn aliases<'a>(
    domain: &Domain,
    mail: &'a site::MailDomain,
    names: &mut Names<'a>,
    findings: &mut Findings,
) -> BTreeMap<LocalPart, Vec<Address>> {
    let mut aliases = Vec::new();
    for (local, user) in &mail.users {
        for alias in &user.value.aliases {
            names.declare(&alias.value, &alias.place, "an alias", true, findings);
            aliases.push((alias.value.to_lower_case(), vec![Address::new(local.to_lower_case(), domain.clone())]));
        }
    }
    for (local, targets) in &mail.aliases {
        names.declare(local, &targets.place, "an alias", true, findings);
        aliases.push((local.to_lower_case(), values(&targets.value)));
    }
    aliases.into_iter().collect()
}

fn limits(mail: &site::MailDomain) -> Limits {
    let value = |limit: &Option<Placed<u64>>| limit.as_ref().map(|limit| limit.value);
    let limits = &mail.limits;
    Limits {
        users: value(&limits.users),
        aliases: value(&limits.aliases),
        forwards: value(&limits.forwards),
        autoresponders: value(&limits.autoresponders),
        lists: value(&limits.lists),
        quota: value(&limits.quota),
        default_quota: value(&limits.default_quota),
        default_quota_messages: value(&limits.default_quota_messages),
    }
}

fn dkim(mail: &site::MailDomain) -> Option<Dkim> {
    let dkim = &mail.publishing.dkim.as_ref()?.value;
    Some(Dkim { selector: dkim.selector.clone(), secret: dkim.secret.clone() })
}

/// `postmaster` must work in every domain (RFC 5321 §4.5.1): an alias of the named user, unless it is that user.
fn add_postmaster<'a>(
    domain: &Domain,
    mail: &'a site::MailDomain,
    lowered: &mut MailDomain,
    names: &mut Names<'a>,
    findings: &mut Findings,
) {
    let Ok(local) = LocalPart::new("postmaster") else { return };
    let target = vec![Address::new(lowered.postmaster.clone(), domain.clone())];
    // `postmaster = "postmaster"` names an address declared elsewhere; an equal alias says the same thing twice.
    if lowered.postmaster != local && lowered.aliases.get(&local) != Some(&target) {
        names.declare(&local, &mail.postmaster.place, "the postmaster", true, findings);
        lowered.aliases.insert(local, target);
    }
}
