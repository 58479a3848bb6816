//! Places of things that are made from several parts of a site: routes, rules, records.

use postkiln_address::Domain;
use postkiln_control::HostPattern;
use postkiln_findings::Place;
use postkiln_site::Site;

use crate::place::{address, first};

/// The place of the route for a domain, found as [`postkiln_control::Smtproutes::relay`] does.
pub(super) fn route<'a>(site: &'a Site, domain: &Domain) -> Option<&'a Place> {
    let below = domain.parents().filter_map(|parent| parent.parse().ok().map(HostPattern::Below));
    let mut keys = std::iter::once(HostPattern::Exact(domain.clone())).chain(below);
    let found = keys.find_map(|key| site.smtp.routes.get(&key)).map(|route| &route.place);
    found.or_else(|| site.smtp.smarthost.as_ref().map(|smarthost| &smarthost.place))
}

/// The place of a listener's rules.
pub(super) fn rules<'a>(site: &'a Site, listener: &str) -> Option<&'a Place> {
    matches!(listener, "smtp" | "submission" | "submissions").then(|| first(&site.smtp.networks)).flatten()
}

/// The place of the setting behind a record that every zone has.
pub(super) fn record<'a>(site: &'a Site, owner: &str, kind: &str) -> Option<&'a Place> {
    let dns = &site.dns;
    match kind {
        "NS" if owner == "@" => Some(first(&dns.name_servers).unwrap_or(&site.appliance.hostname.place)),
        "CAA" => first(&dns.caa),
        "TLSA" => Some(&dns.tlsa.place),
        "A" | "AAAA" => Some(address(site, kind)),
        _ => None,
    }
}
