//! Places of things that exist once: the sections of a site, and the files and rules made from them.

use postkiln_address::Domain;
use postkiln_control::HostPattern;
use postkiln_findings::Place;
use postkiln_site::{Placed, Site};

use crate::Kind;

/// The place of a field of a section.
pub(super) fn section<'a>(site: &'a Site, kind: Kind, field: &str) -> Option<&'a Place> {
    let place = match (kind, field) {
        (Kind::Tls, "minimum") => &site.tls.minimum.place,
        (Kind::Tls, _) => &site.tls.certificate.place,
        (Kind::Web, "administration") => &site.web.administration.place,
        (Kind::Web, "languages") => &site.web.languages.place,
        (Kind::Web, "name") => or(site.web.name.as_ref(), &site.web.webmail.place),
        (Kind::Web, _) => &site.web.webmail.place,
        (Kind::Ldap, "base") => or(site.ldap.base.as_ref(), &site.ldap.enabled.place),
        (Kind::Ldap, "anonymous") => &site.ldap.anonymous.place,
        (Kind::Ldap, _) => &site.ldap.enabled.place,
        (Kind::Storage, "shared_mail") => &site.storage.mail.place,
        (Kind::Storage, _) => &site.storage.database.place,
        (Kind::Retention, "trash") => &site.retention.trash.place,
        (Kind::Retention, "junk") => &site.retention.junk.place,
        (Kind::Retention, "logs") => &site.retention.logs.place,
        (Kind::Retention, "bundles") => &site.retention.bundles.place,
        (Kind::Retention, _) => &site.retention.removed_mailboxes.place,
        _ => return None,
    };
    Some(place)
}

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

/// The place from which the machine's public addresses come.
pub(super) fn address<'a>(site: &'a Site, kind: &str) -> &'a Place {
    let four = site.dns.address.as_ref().map(|one| &one.place).filter(|_| kind != "AAAA");
    let six = site.dns.address6.as_ref().map(|one| &one.place).filter(|_| kind != "A");
    four.or(six).unwrap_or(&site.appliance.network.place)
}

fn first<T>(list: &[Placed<T>]) -> Option<&Place> {
    list.first().map(|one| &one.place)
}

fn or<'a, T>(written: Option<&'a Placed<T>>, otherwise: &'a Place) -> &'a Place {
    written.map_or(otherwise, |written| &written.place)
}
