//! Names fit where they go: the kernel's host name, the DNS, files of the bundle, addresses.

use postkiln_address::{Domain, LocalPart};
use postkiln_control::Me;
use postkiln_findings::{Place, codes};
use postkiln_site::Site;

use super::mail_domains;
use crate::findings::Findings;
use crate::model::Blueprint;
use crate::zones::Zones;

/// Reports names that have no place on the machine, and addresses that nobody can write to.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    if let Some(Me(name)) = blueprint.control_file() {
        let what = format!("the host name {name}");
        fits(what, name.as_str().len(), HOST_NAME, &site.appliance.hostname.place, findings);
    }
    for (name, entry) in &site.domains {
        fits(format!("the domain {name}"), name.as_str().len(), DOMAIN, &entry.place, findings);
    }
    addresses(site, findings);
}

/// Every address that the site declares, in the domains that are long enough to leave too little for a local part.
fn addresses(site: &Site, findings: &mut Findings) {
    let long = |domain: &Domain| domain.as_str().len() + 1 + LOCAL_PART > ADDRESS;
    for (domain, mail) in mail_domains(site).filter(|(domain, _)| long(domain)) {
        let users = mail.users.iter().map(|(local, user)| (local, &user.place));
        let further =
            mail.users.values().flat_map(|user| &user.value.aliases).map(|alias| (&alias.value, &alias.place));
        let aliases = mail.aliases.iter().map(|(local, alias)| (local, &alias.place));
        let lists = mail.lists.iter().map(|(local, list)| (local, &list.place));
        let robots = mail.autoresponders.iter().map(|(local, robot)| (local, &robot.place));
        let declared = users.chain(further).chain(aliases).chain(lists).chain(robots);
        for (local, place) in declared {
            let length = address(local, domain);
            fits(format!("the address {local}@{domain}"), length, ADDRESS, place, findings);
        }
    }
}

fn address(local: &LocalPart, domain: &Domain) -> usize {
    local.as_str().len() + 1 + domain.as_str().len()
}

/// Records that were made, whose names begin with labels of ours: those of the site were judged one by one.
pub(super) fn records(zones: &Zones<'_>, findings: &mut Findings) {
    for (zone, draft) in &zones.drafts {
        let made = draft.entries.iter().filter(|entry| !entry.is_own);
        let too_long = made.into_iter().find_map(|entry| {
            let name = &entry.record.name;
            let label = name.split('.').find(|label| label.len() > LABEL);
            let whole = name.len() + 1 + zone.as_str().len();
            match label {
                Some(label) => Some((entry, format!("the label {label} in {zone}"), label.len(), LABEL)),
                None if name != "@" && whole > DNS_NAME => {
                    Some((entry, format!("the name {name}.{zone}"), whole, DNS_NAME))
                }
                None => None,
            }
        });
        // One is enough: what makes the others too long is the same name.
        if let Some((entry, what, length, most)) = too_long {
            fits(what, length, most, entry.place, findings);
        }
    }
}

fn fits(what: String, length: usize, most: usize, place: &Place, findings: &mut Findings) {
    if length > most {
        findings
            .add(codes::TOO_LONG, place, format!("{what} has {length} octets, and {most} is the most"))
            .hint("take a shorter one");
    }
}

/// Linux's `__NEW_UTS_LEN`.
const HOST_NAME: usize = 64;
/// RFC 1035 §2.3.4, written with dots and without the last.
const DNS_NAME: usize = 253;
const LABEL: usize = 63;
/// RFC 5321 §4.5.3.1.3: a path of 256 octets with its angle brackets.
const ADDRESS: usize = 254;
const LOCAL_PART: usize = 64;
/// Linux's `NAME_MAX` without `.mobileconfig`, the longest ending that a domain's name has among the bundle's files.
const DOMAIN: usize = 255 - ".mobileconfig".len();
