//! Lists of bad senders and recipients that name people of this site.

use postkiln_address::{Address, Domain};
use postkiln_control::AddressPattern;
use postkiln_findings::codes;
use postkiln_site::Site;

use crate::findings::Findings;
use crate::model::Blueprint;

const TAKE_OFF: &str = "take it off the list, or out of `domains`";
const HOLDS_FOR_ALL: &str = "the list holds for people who log in too; forged senders are the affair of SPF and DMARC";

/// Reports entries that refuse declared addresses.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let lists = [("to", &site.smtp.bad_recipients, TAKE_OFF), ("from", &site.smtp.bad_senders, HOLDS_FOR_ALL)];
    for (which, list, hint) in lists {
        for bad in list.iter().filter(|bad| refuses_declared(blueprint, &bad.value)) {
            let message = format!("mail {which} {} is refused, and it is declared here", bad.value);
            findings.add(codes::REFUSES_OURS, &bad.place, message).hint(hint);
        }
    }
}

fn refuses_declared(blueprint: &Blueprint, bad: &AddressPattern) -> bool {
    match bad {
        AddressPattern::Address(address) => is_declared(blueprint, address),
        AddressPattern::Domain(domain) => is_ours(blueprint, domain),
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
