//! The zones: what mail needs of each domain, and the site's own records; where both speak of the same thing, the site's stand.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use postkiln_address::Domain;
use postkiln_site::{Network, Place, Placed, Record, Site};

use super::record;
use crate::codes;
use crate::findings::Findings;
use crate::model::{Zone, ZoneRecord};

/// A zone for each mail domain and for each domain the site has records of.
pub(super) fn lower(site: &Site, domains: &[&Domain], findings: &mut Findings) -> BTreeMap<Domain, Zone> {
    let names: BTreeSet<&Domain> = domains.iter().copied().chain(site.dns.records.keys()).collect();
    let mut zones = BTreeMap::new();
    for name in names {
        let placed = site.dns.records.get(name).map_or(&[][..], Vec::as_slice);
        let own = own_records(name, placed, findings);
        let implied = implied(site, name, domains.contains(&name), &own, findings);
        let records: Vec<ZoneRecord> =
            implied.into_iter().chain(own.iter().map(|(record, _)| record.clone())).collect();
        check(name, &records, &own, findings);
        zones.insert(name.clone(), Zone { ttl: site.dns.ttl.value, records });
    }
    zones
}

type Own<'a> = Vec<(ZoneRecord, &'a Place)>;

fn own_records<'a>(zone: &Domain, placed: &'a [Placed<Record>], findings: &mut Findings) -> Own<'a> {
    let mut own: Own<'a> = Vec::new();
    for Placed { value, place } in placed {
        match record::lower(zone, value) {
            Err(problem) => {
                findings.add(codes::RECORD, place, format!("a record of {zone} cannot be: {problem}"));
            }
            Ok(record) => match own.iter().find(|(other, _)| *other == record) {
                Some((_, first)) => {
                    let message = format!("the same {} record of {} stands twice in {zone}", record.kind, record.name);
                    findings.add(codes::RECORD, place, message).hint("remove one").related(first, "first written here");
                }
                None => own.push((record, place)),
            },
        }
    }
    own
}

/// What mail needs, as far as the site does not say it itself.
fn implied(site: &Site, zone: &Domain, mail: bool, own: &Own<'_>, findings: &mut Findings) -> Vec<ZoneRecord> {
    let said = |name: &str, kind: &str, begins: &str| {
        own.iter().any(|(record, _)| record.name == name && record.kind == kind && record.value.starts_with(begins))
    };
    let hostname = &site.appliance.hostname.value;
    let mut records = Vec::new();
    let mut add = |name: &str, kind: &str, value: String| {
        records.push(ZoneRecord { name: name.to_owned(), kind: kind.to_owned(), value });
    };
    if !said("@", "NS", "") {
        add("@", "NS", format!("{hostname}."));
    }
    if mail && !said("@", "MX", "") {
        add("@", "MX", format!("10 {hostname}."));
    }
    if mail && !said("@", "TXT", "v=spf1") {
        add("@", "TXT", "v=spf1 mx -all".to_owned());
    }
    if mail && !said("_dmarc", "TXT", "") {
        add("_dmarc", "TXT", format!("v=DMARC1; p=none; rua=mailto:postmaster@{zone}"));
    }
    if let Some(name) = relative(hostname.as_str(), zone)
        && !said(&name, "A", "")
        && !said(&name, "AAAA", "")
    {
        add(&name, "A", public_address(site, zone, findings).to_string());
    }
    records
}

/// The address others reach the machine at. A name server refuses a zone whose MX has no address, so an unknown one is
/// stood in for by 192.0.2.1, which is reserved for documentation (RFC 5737): nobody else's machine gets the mail.
fn public_address(site: &Site, zone: &Domain, findings: &mut Findings) -> Ipv4Addr {
    if let Some(address) = &site.dns.address {
        return address.value;
    }
    match &site.appliance.network.value {
        Network::Static { address, .. } => *address,
        Network::Dhcp => {
            let message = format!(
                "the zone {zone} names 192.0.2.1 as the address of {}, since the public one is not known",
                site.appliance.hostname.value
            );
            findings
                .add(codes::PLACEHOLDER_ADDRESS, &site.appliance.network.place, message)
                .hint("set `dns.address`, or an A record of your own, before you publish the zone");
            Ipv4Addr::new(192, 0, 2, 1)
        }
    }
}

/// `mail` for `mail.example.org` in the zone `example.org`; `@` for the zone itself.
fn relative(name: &str, zone: &Domain) -> Option<String> {
    if name == zone.as_str() {
        return Some("@".to_owned());
    }
    name.strip_suffix(zone.as_str()).and_then(|rest| rest.strip_suffix('.')).map(str::to_owned)
}

fn check(zone: &Domain, records: &[ZoneRecord], own: &Own<'_>, findings: &mut Findings) {
    let all = |name: &str| records.iter().filter(move |record| record.name == name).count();
    for (record, place) in own {
        // RFC 1034 §3.6.2: a CNAME stands alone. That includes the zone itself, which always has NS and SOA.
        if record.kind == "CNAME" && (record.name == "@" || all(&record.name) > 1) {
            let message = format!("{} in {zone} has a CNAME record and others beside it", record.name);
            findings.add(codes::RECORD, place, message).hint("a CNAME stands alone: use an A record");
        }
        if record.kind == "TXT" && record.value.starts_with("v=spf1") {
            check_spf(zone, record, own, place, findings);
        }
        if matches!(record.kind.as_str(), "MX" | "NS") {
            check_target(zone, record, records, place, findings);
        }
    }
}

/// RFC 7208 §4.5, §4.6.4: one record, at most ten terms that cause look-ups.
fn check_spf(zone: &Domain, record: &ZoneRecord, own: &Own<'_>, place: &Place, findings: &mut Findings) {
    let asks = |term: &&str| {
        let term = term.trim_start_matches(['+', '-', '~', '?']);
        let name = term.split([':', '/', '=']).next().unwrap_or_default();
        matches!(name, "include" | "a" | "mx" | "ptr" | "exists" | "redirect")
    };
    let lookups = record.value.split_ascii_whitespace().filter(asks).count();
    if lookups > 10 {
        findings
            .add(codes::SPF, place, format!("the SPF record of {} in {zone} needs {lookups} look-ups", record.name))
            .hint("receivers stop after ten and treat it as broken; use ip4 and ip6 instead of include");
    }
    let same = own
        .iter()
        .filter(|(other, _)| other.name == record.name && other.kind == "TXT" && other.value.starts_with("v=spf1"));
    if same.count() > 1 {
        findings
            .add(codes::RECORD, place, format!("{} in {zone} has more than one SPF record", record.name))
            .hint("join them into one");
    }
}

/// A mail exchanger or name server within the zone needs an address there, and is no alias (RFC 2181 §10.3).
fn check_target(zone: &Domain, record: &ZoneRecord, records: &[ZoneRecord], place: &Place, findings: &mut Findings) {
    let target = record.value.rsplit(' ').next().unwrap_or_default().trim_end_matches('.');
    let Some(name) = relative(target, zone) else { return };
    let has_address = |wanted: &str| {
        records.iter().any(|record| record.name == wanted && matches!(record.kind.as_str(), "A" | "AAAA"))
    };
    let wildcard = name.split_once('.').map_or("*".to_owned(), |(_, rest)| format!("*.{rest}"));
    if !has_address(&name) && !has_address(&wildcard) {
        let message =
            format!("the {} record of {} names {target}, which has no address in {zone}", record.kind, record.name);
        findings.add(codes::RECORD, place, message).hint(format!("add an A record for {name:?}"));
    }
}
