//! Limits: a mailbox can hold the largest message that we accept for it, and a domain declares no more than it may
//! have.

use std::fmt;

use postkiln_address::Domain;
use postkiln_control::Databytes;
use postkiln_site::{Gap, MailDomain, Placed, Section, Site, Target, size_text};

use super::mail_domains;
use crate::codes;
use crate::findings::Findings;
use crate::model::Blueprint;

/// Reports quotas that one accepted message could exceed, and declarations beyond a limit.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let Databytes(usual) = blueprint.control_file().unwrap_or_default();
    // Some networks may send more than others; 0 is no limit.
    let of_networks =
        site.smtp.networks.iter().filter_map(|network| network.value.size.as_ref().map(|size| size.value));
    let largest = of_networks.fold(usual, |one, other| if one == 0 || other == 0 { 0 } else { one.max(other) });
    let is_size_known = !site.gaps.any_section(&[Section::Smtp, Section::Control]);
    for (domain, mail) in mail_domains(site) {
        if is_size_known {
            check_quotas(domain, mail, largest, findings);
        }
        if !site.gaps.any(|gap| matches!(gap, Gap::Way(of, _) if of == domain)) {
            check_counts(domain, mail, findings);
        }
        if !site.gaps.lack(&Gap::Quotas(domain.clone())) {
            check_sum(domain, mail, findings);
        }
    }
}

fn check_quotas(domain: &Domain, mail: &MailDomain, largest: u64, findings: &mut Findings) {
    for (local, user) in &mail.users {
        if let Some(quota) = &user.value.quota {
            check_quota(quota, largest, format_args!("{local}@{domain}"), findings);
        }
    }
    if let Some(quota) = &mail.limits.default_quota {
        check_quota(quota, largest, format_args!("a user of {domain} without a quota"), findings);
    }
}

/// The declared users' quotas together, those who get the default among them; who has none may take what is left.
fn check_sum(domain: &Domain, mail: &MailDomain, findings: &mut Findings) {
    let Some(limit) = &mail.limits.quota else { return };
    let default = mail.limits.default_quota.as_ref();
    let quotas = mail.users.values().filter_map(|user| user.value.quota.as_ref().or(default));
    let sum = quotas.fold(0_u64, |sum, quota| sum.saturating_add(quota.value));
    if sum <= limit.value {
        return;
    }
    let [sum, limited] = [sum, limit.value].map(size_text);
    let message = format!("the users of {domain} may hold {sum} together, and the domain {limited}");
    if mail.limits.overcommit {
        findings
            .add(codes::OVERCOMMIT, &limit.place, message)
            .hint("the domain is full before its users are; silence this when that is meant");
    } else {
        findings
            .add(codes::LIMIT, &limit.place, message)
            .hint("raise the limit, lower quotas, or write `limits.overcommit = true` when not all will be full");
    }
}

fn check_quota(quota: &Placed<u64>, largest: u64, who: fmt::Arguments<'_>, findings: &mut Findings) {
    if largest != 0 && quota.value >= largest {
        return;
    }
    let largest = if largest == 0 { "of any size".to_owned() } else { format!("of up to {}", size_text(largest)) };
    let message = format!("{who} may hold {}, and messages {largest} are accepted", size_text(quota.value));
    findings.add(codes::QUOTA, &quota.place, message).hint("raise the quota, or lower the limit with `smtp.size`");
}

fn check_counts(domain: &Domain, mail: &MailDomain, findings: &mut Findings) {
    let leaves = |targets: &[Placed<Target>]| targets.iter().any(|target| target.value.domain() != domain);
    let (out, within): (Vec<_>, Vec<_>) = mail.aliases.values().partition(|targets| leaves(&targets.value));
    let further: usize = mail.users.values().map(|user| user.value.aliases.len()).sum();
    let forwards =
        mail.users.values().filter(|user| user.value.forward.as_ref().is_some_and(|forward| leaves(&forward.value.to)));
    let limits = &mail.limits;
    for (limit, count, what) in [
        (&limits.users, mail.users.len(), "users"),
        (&limits.aliases, within.len() + further, "aliases"),
        (&limits.forwards, out.len() + forwards.count(), "forwards"),
        (&limits.autoresponders, mail.autoresponders.len(), "autoresponders"),
        (&limits.lists, mail.lists.len(), "lists"),
    ] {
        let Some(limit) = limit.as_ref().filter(|limit| u64::try_from(count).is_ok_and(|count| count > limit.value))
        else {
            continue;
        };
        let message = format!("{domain} declares {count} {what} and may have {}", limit.value);
        findings.add(codes::LIMIT, &limit.place, message).hint("raise the limit, or declare fewer");
    }
}
