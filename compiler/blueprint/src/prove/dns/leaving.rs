//! Mail that leaves comes from an address that the zones name: through the smarthost, or over IPv6. And the machine has
//! the IPv6 address that the zones name.

use std::net::IpAddr;

use postkiln_address::Domain;
use postkiln_control::RelayHost;
use postkiln_findings::codes;
use postkiln_site::{Ipv6, Network, Site};

use super::spf;
use crate::findings::Findings;
use crate::zones::{Entry, Zones, is_private};

pub(super) fn check(site: &Site, zones: &Zones<'_>, findings: &mut Findings) {
    let mut by_ipv6 = false;
    for (zone, draft) in zones.drafts.iter().filter(|(_, draft)| draft.mail.is_some()) {
        for entry in draft.at("@", "TXT").filter(|entry| spf::is_spf(entry) && !draft.repeats(zone, entry)) {
            by_smarthost(site, zone, entry, zones, findings);
            by_ipv6 |= fails_by_ipv6(entry);
        }
    }
    if by_ipv6 {
        from_nowhere(site, zones, findings);
    }
    promised(site, zones, findings);
}

fn by_smarthost(site: &Site, zone: &Domain, entry: &Entry<'_>, zones: &Zones<'_>, findings: &mut Findings) {
    let Some(smarthost) = site.smtp.smarthost.as_ref().filter(|_| !site.control.contains_key("smtproutes")) else {
        return;
    };
    let text = &entry.record.value;
    // A record that lets nobody send, not even the appliance, has a finding already.
    if text.split_ascii_whitespace().skip(1).all(|term| term.ends_with("all")) {
        return;
    }
    let passes = match &smarthost.value.relay.host {
        // The address by which others see a private one is not known.
        RelayHost::Address(address) if is_private(*address) => None,
        RelayHost::Address(address) => spf::passes(zone.as_str(), text, *address, zones, 0),
        RelayHost::Name(host) if zones.find(host.as_str()).is_some() => None,
        RelayHost::Name(host) => spf::names(text, host, zones),
    };
    if passes == Some(false) {
        let host = match &smarthost.value.relay.host {
            RelayHost::Name(host) => host.to_string(),
            RelayHost::Address(address) => address.to_string(),
        };
        let message = format!("mail of {zone} leaves through {host}, which its SPF record does not name");
        findings
            .add(codes::SPF_SMARTHOST, entry.place, message)
            .hint("add what its operator publishes, `spf.include = [\"_spf.example.net\"]`, or its addresses: `spf.addresses`")
            .related(&smarthost.place, "the smarthost");
    }
}

/// Whether a record refuses mail from IPv6 addresses, as far as can be seen.
fn fails_by_ipv6(entry: &Entry<'_>) -> bool {
    let mut terms = entry.record.value.split_ascii_whitespace().map(str::to_ascii_lowercase);
    let refuses = entry.record.value.ends_with("-all") || entry.record.value.ends_with("~all");
    refuses && !terms.any(|term| ["ip6:", "include:", "exists:", "redirect="].iter().any(|part| term.contains(part)))
}

fn from_nowhere(site: &Site, zones: &Zones<'_>, findings: &mut Findings) {
    let asked = site.appliance.ipv6.as_ref().filter(|ipv6| ipv6.value == Ipv6::Auto);
    let Some(asked) = asked.filter(|_| site.smtp.smarthost.is_none()) else { return };
    if zones.addresses.iter().any(IpAddr::is_ipv4) && !zones.addresses.iter().any(IpAddr::is_ipv6) {
        let message = "mail may leave by IPv6 from an address that no SPF record names: 'auto does not say which";
        findings
            .add(codes::SPF_IPV6, &asked.place, message.to_owned())
            .hint("add it as `dns.address6`, or write `ipv6 = 'none`");
    }
}

fn promised(site: &Site, zones: &Zones<'_>, findings: &mut Findings) {
    let (network, ipv6) = (&site.appliance.network, site.appliance.ipv6.as_ref());
    let has_none = match ipv6.map(|ipv6| &ipv6.value) {
        None => network.value != Network::Dhcp,
        Some(asked) => *asked == Ipv6::None,
    };
    let Some(address) = zones.addresses.iter().find(|address| address.is_ipv6()).filter(|_| has_none) else { return };
    let record = zones.look_up(site.appliance.hostname.value.as_str(), "AAAA").unwrap_or_default();
    let told = site.dns.address6.as_ref().map(|placed| &placed.place);
    if let Some(place) = told.or_else(|| record.first().map(|entry| entry.place)) {
        let message = format!("others are told that the appliance is at {address}, and it has no IPv6");
        let place_of_none = ipv6.map_or(&network.place, |ipv6| &ipv6.place);
        findings
            .add(codes::NO_IPV6, place, message)
            .hint("write `appliance.ipv6 = { address = …, gateway = … }` or 'auto, or take the address out")
            .related(place_of_none, "the network without it");
    }
}
