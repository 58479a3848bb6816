//! Lists of bad senders and recipients that name people of this site.

use postkiln_address::{Address, Domain};
use postkiln_control::{BadRecipient, BadSender};
use postkiln_findings::codes;
use postkiln_site::Site;

use crate::findings::Findings;
use crate::model::Blueprint;

/// Reports entries that refuse what is declared.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    for bad in &site.smtp.bad_recipients {
        let refused = match &bad.value {
            BadRecipient::Address(address) => is_declared(blueprint, address),
            BadRecipient::Domain(domain) => is_ours(blueprint, domain),
        };
        if refused {
            findings
                .add(
                    codes::REFUSES_OURS,
                    &bad.place,
                    format!("mail to {} is refused, and it is declared here", bad.value),
                )
                .hint("take it off the list, or out of `domains`");
        }
    }
    for bad in &site.smtp.bad_senders {
        let refused = match &bad.value {
            BadSender::Address(address) => is_declared(blueprint, address),
            BadSender::Domain(domain) => is_ours(blueprint, domain),
        };
        if refused {
            findings
                .add(
                    codes::REFUSES_OURS,
                    &bad.place,
                    format!("mail from {} is refused, and it is declared here", bad.value),
                )
                .hint("the list holds for people who log in too; forged senders are the affair of SPF and DMARC");
        }
    }
}

fn is_ours(blueprint: &Blueprint, domain: &Domain) -> bool {
    blueprint.domains.contains_key(domain) || blueprint.alias_domains.contains_key(domain)
}

fn is_declared(blueprint: &Blueprint, address: &Address) -> bool {
    blueprint
        .own_address(address)
        .and_then(|(domain, local)| Some((blueprint.domains.get(domain)?, local)))
        .is_some_and(|(mail, local)| {
            mail.users.contains_key(&local)
                || mail.aliases.contains_key(&local)
                || mail.lists.contains_key(&local)
                || mail.responders.contains_key(&local)
        })
}
