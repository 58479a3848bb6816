//! Records about machines: the name servers, the appliance's addresses, delegations to zones below.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use postkiln_address::Domain;
use postkiln_findings::codes;
use postkiln_site::{Certificate, Ipv6, Network, SecretKind, Site};

use super::{Adding, Entry, Zones, entry, relative};
use crate::findings::Findings;
use crate::model::Purpose;

/// The addresses by which others reach the appliance.
pub(super) struct Addresses {
    /// All addresses: those of the site's own records, and those we add.
    all: Vec<IpAddr>,
    /// The addresses we add.
    added: Vec<IpAddr>,
    /// Whether 192.0.2.1 stands in for an address that is not known.
    is_placeholder: bool,
}

impl Addresses {
    /// The addresses: from the site's own records of the appliance's name, else from `dns`, else from the network.
    pub(super) fn of(site: &Site, zones: &Zones<'_>, findings: &mut Findings) -> Self {
        let host = &site.appliance.hostname.value;
        // A wildcard speaks of names that nobody declared, and the appliance's is declared here.
        let own = |kind: &'static str| zones.declared(host.as_str(), kind);
        let written = |kind| own(kind).filter_map(|entry| entry.record.value.parse().ok());
        let mut addresses =
            Self { all: written("A").chain(written("AAAA")).collect(), added: Vec::new(), is_placeholder: false };
        let has = |is: fn(&IpAddr) -> bool| addresses.all.iter().any(is);
        let (has4, has6, alias) = (has(IpAddr::is_ipv4), has(IpAddr::is_ipv6), own("CNAME").next().is_some());
        let network = match &site.appliance.network.value {
            Network::Static { address, .. } if !has6 => Some(*address),
            _ => None,
        };
        let known4 = site.dns.address.as_ref().map(|placed| placed.value).or(network);
        let network6 = match site.appliance.ipv6.as_ref().map(|placed| &placed.value) {
            Some(Ipv6::Static { address, .. }) if !has4 => Some(*address),
            _ => None,
        };
        let known6 = site.dns.address6.as_ref().map(|placed| placed.value).or(network6);
        if !alias {
            addresses.add(known4.filter(|_| !has4).map(IpAddr::V4));
            addresses.add(known6.filter(|_| !has6).map(IpAddr::V6));
        }
        if addresses.all.is_empty() && !alias && zones.find(host.as_str()).is_some() {
            addresses.stand_in(site, zones, findings);
        }
        addresses
    }

    /// The addresses that are really known, without a placeholder.
    pub(super) fn known(&self) -> Vec<IpAddr> {
        if self.is_placeholder { Vec::new() } else { self.all.clone() }
    }

    fn add(&mut self, address: Option<IpAddr>) {
        self.all.extend(address);
        self.added.extend(address);
    }

    /// Adds 192.0.2.1 for an unknown address, since a name server refuses a zone whose MX has no address. That address
    /// is reserved for documentation (RFC 5737), so nobody else's machine gets the mail.
    fn stand_in(&mut self, site: &Site, zones: &Zones<'_>, findings: &mut Findings) {
        let host = &site.appliance.hostname.value;
        let zone = zones.find(host.as_str()).map(|(zone, _)| zone.as_str()).unwrap_or_default();
        let message =
            format!("the zone {zone} names 192.0.2.1 as the address of {host}, since the public one is not known");
        findings
            .add(codes::PLACEHOLDER_ADDRESS, &site.appliance.network.place, message)
            .hint("set `dns.address`, or an A record of your own, before you publish the zone");
        self.add(Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))));
        self.is_placeholder = true;
    }
}

/// Adds NS records, where the site has none of its own.
pub(super) fn name_servers(adding: &mut Adding<'_, '_>) {
    let site = adding.site;
    if !site.dns.publish.value {
        return;
    }
    // By its own records a zone differs from the others.
    if adding.said("@", "NS", "") {
        return;
    }
    for server in &site.dns.name_servers {
        adding.add("@", "NS", format!("{}.", server.value), Purpose::NameServer, &server.place);
    }
    if site.dns.name_servers.is_empty() {
        let hostname = &site.appliance.hostname;
        adding.add("@", "NS", format!("{}.", hostname.value), Purpose::NameServer, &hostname.place);
    }
}

/// The digest of the certificate's key, when it is to be published and known.
fn pinned_key(site: &Site) -> Option<&str> {
    let Certificate::Own { secret, .. } = &site.tls.certificate.value else { return None };
    match &site.secrets.secrets.get(&secret.value)?.value.kind {
        SecretKind::TlsKey { spki_sha256 } if site.dns.tlsa.value => Some(spki_sha256),
        _ => None,
    }
}

/// The appliance's addresses and the key it shows there, in the zone its name lies in.
pub(super) fn appliance(adding: &mut Adding<'_, '_>, zones: &Zones<'_>, addresses: &Addresses) {
    let site = adding.site;
    let Some((zone, name)) = zones.find(site.appliance.hostname.value.as_str()) else { return };
    if zone != adding.zone {
        return;
    }
    for address in &addresses.added {
        let (kind, said) = match address {
            IpAddr::V4(_) => ("A", site.dns.address.as_ref().map(|placed| &placed.place)),
            IpAddr::V6(_) => ("AAAA", site.dns.address6.as_ref().map(|placed| &placed.place)),
        };
        let place = said.unwrap_or(&site.appliance.network.place);
        adding.add(&name, kind, address.to_string(), Purpose::Host, place);
    }
    if let Some(digest) = pinned_key(site) {
        let owner = if name == "@" { "_25._tcp".to_owned() } else { format!("_25._tcp.{name}") };
        if adding.said(&owner, "TLSA", "") {
            adding.contradiction("dns.tlsa", &site.dns.tlsa.place, &owner, "TLSA");
        } else {
            // The digest is that of the key itself, whoever vouches for it (RFC 7671 §5.1).
            adding.add(&owner, "TLSA", format!("3 1 1 {digest}"), Purpose::Tlsa, &site.dns.tlsa.place);
        }
    }
}

/// A zone of ours below another one is delegated there (RFC 1034 §4.2.1), with the addresses of name servers that lie
/// within it.
pub(super) fn delegations(zones: &mut Zones<'_>, site: &Site) {
    if !site.dns.publish.value {
        return;
    }
    let children: Vec<(&Domain, &Domain)> = zones
        .drafts
        .keys()
        .filter_map(|child| {
            let parent = child.parents().find_map(|parent| zones.drafts.keys().find(|zone| zone.as_str() == parent));
            parent.map(|parent| (*child, *parent))
        })
        .collect();
    for (child, parent) in children {
        let added = delegation(zones, child, parent);
        if let Some(draft) = zones.drafts.get_mut(parent) {
            draft.entries.extend(added);
        }
    }
}

fn delegation<'a>(zones: &Zones<'a>, child: &Domain, parent: &Domain) -> Vec<Entry<'a>> {
    let (Some(below), Some(above)) = (zones.drafts.get(child), zones.drafts.get(parent)) else { return Vec::new() };
    let Some(name) = relative(child.as_str(), parent) else { return Vec::new() };
    if above.has(&name, "NS", "") {
        return Vec::new();
    }
    let mut added = Vec::new();
    for server in below.entries.iter().filter(|entry| entry.record.name == "@" && entry.record.kind == "NS") {
        added.push(entry(&name, "NS", server.record.value.clone(), Purpose::Delegation, server.place));
        let Some(glue) = relative(server.target(), parent).filter(|_| relative(server.target(), child).is_some())
        else {
            continue;
        };
        for kind in ["A", "AAAA"] {
            for address in zones.look_up(server.target(), kind).unwrap_or_default() {
                added.push(entry(&glue, kind, address.record.value.clone(), Purpose::Delegation, address.place));
            }
        }
    }
    added
}

/// Whether an address is of a network that the world does not reach (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(address) => is_private6(address),
    }
}

fn is_private6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local()
}
