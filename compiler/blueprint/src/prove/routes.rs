//! Routes lead to other machines, and are for domains that are not ours.

use postkiln_control::{HostPattern, Relay, RelayHost, Smtproutes};
use postkiln_findings::codes;
use postkiln_site::{Ipv6, Network, Place, Site};

use crate::findings::Findings;
use crate::model::Blueprint;

/// Judges the final file, whoever wrote it.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let Some(routes) = blueprint.control_file::<Smtproutes>() else { return };
    for (pattern, relay) in &routes.0 {
        let Some(place) = place(site, pattern.as_ref()) else { continue };
        let whose = pattern.as_ref().map_or_else(|| "everything".to_owned(), ToString::to_string);
        if let Some(relay) = relay.as_ref().filter(|relay| is_this_machine(site, relay)) {
            let message = format!("mail for {whose} would come back: {relay} is this machine");
            findings.add(codes::ROUTE_LOOP, place, message).hint("name the machine that takes the mail next");
        }
        if let Some(HostPattern::Exact(domain)) = pattern
            && (blueprint.domains.contains_key(domain) || blueprint.alias_domains.contains_key(domain))
        {
            let message = format!("the route for {domain} is never used: mail for it is delivered here");
            findings.add(codes::ROUTE_FOR_OURS, place, message).hint(format!(
                "take {domain} out of `domains` to hand its mail on, or forward single users with `forward`"
            ));
        }
    }
}

/// The place of a route.
fn place<'a>(site: &'a Site, pattern: Option<&HostPattern>) -> Option<&'a Place> {
    if let Some(file) = site.control.get("smtproutes") {
        return Some(&file.place);
    }
    match pattern {
        Some(pattern) => site.smtp.routes.get(pattern).map(|relay| &relay.place),
        None => site.smtp.smarthost.as_ref().map(|smarthost| &smarthost.place),
    }
}

/// Whether a relay is the machine itself, on a port where it takes mail.
fn is_this_machine(site: &Site, relay: &Relay) -> bool {
    let appliance = &site.appliance;
    let named = match &relay.host {
        RelayHost::Name(name) => *name == appliance.hostname.value,
        RelayHost::Address(address) => {
            let fixed = match appliance.network.value {
                Network::Static { address: own, .. } => *address == own,
                Network::Dhcp => false,
            };
            let fixed6 = match appliance.ipv6.as_ref().map(|ipv6| &ipv6.value) {
                Some(Ipv6::Static { address: own, .. }) => *address == *own,
                _ => false,
            };
            let public = site.dns.address.as_ref().is_some_and(|own| *address == own.value);
            fixed || fixed6 || public || address.is_loopback()
        }
    };
    named && [25, 465, 587].contains(&relay.port)
}
