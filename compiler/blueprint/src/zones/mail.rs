//! Records about mail in a zone: who takes it, who sends and signs it, the policy for the rest, TLS on the way.

use std::fmt::Write as _;
use std::net::IpAddr;

use postkiln_address::{Address, Domain};
use postkiln_site::{Dmarc, DmarcPolicy, MtaSts, Site, Spf, SpfPolicy};

use super::hosts::Addresses;
use super::{Adding, Entry, Mail, Zones, entry};
use crate::model::{Purpose, StsMode, StsPolicy};

/// Adds MX records: the appliance, then further exchangers.
pub(super) fn exchangers<'a>(adding: &mut Adding<'a, '_>, mail: Mail<'a>) {
    let further = &mail.publishing.mx;
    if adding.said("@", "MX", "") {
        if let Some(first) = further.first() {
            adding.contradiction("mx", mail.place(adding.zone, first), "@", "MX");
        }
        return;
    }
    let hostname = &adding.site.appliance.hostname;
    adding.add("@", "MX", format!("10 {}.", hostname.value), Purpose::MailExchanger, mail.place);
    for (preference, exchanger) in (20u32..).step_by(10).zip(further) {
        let place = mail.place(adding.zone, exchanger);
        adding.add("@", "MX", format!("{preference} {}.", exchanger.value), Purpose::MailExchanger, place);
    }
}

/// Adds SPF, DKIM and DMARC.
pub(super) fn senders<'a>(adding: &mut Adding<'a, '_>, mail: Mail<'a>, addresses: &Addresses) {
    let spf = &mail.publishing.spf;
    let place = mail.place(adding.zone, spf);
    if adding.said("@", "TXT", "v=spf1") {
        let says_something =
            spf.value.policy != SpfPolicy::Fail || !spf.value.include.is_empty() || !spf.value.addresses.is_empty();
        if says_something {
            adding.contradiction("spf", place, "@", "TXT");
        }
    } else if let Some(text) = spf_record(adding.site, &spf.value, &addresses.known()) {
        adding.add("@", "TXT", text, Purpose::Spf, place);
    }
    dkim(adding, mail);
    dmarc(adding, mail);
}

/// Adds every key of the secret, whatever its state: the next key is published before it signs, and an old one stays a
/// while.
fn dkim<'a>(adding: &mut Adding<'a, '_>, mail: Mail<'a>) {
    let Some(dkim) = &mail.publishing.dkim else { return };
    let place = mail.place(adding.zone, dkim);
    let secret = adding.site.secrets.secrets.get(&dkim.value.secret);
    for key in secret.map_or(&[][..], |secret| secret.value.dkim_keys()) {
        let name = format!("{}._domainkey", key.selector(&dkim.value.selector));
        match ["TXT", "CNAME"].into_iter().find(|kind| adding.said(&name, kind, "")) {
            Some(kind) => adding.contradiction("dkim", place, &name, kind),
            None => adding.add(&name, "TXT", key.record(), Purpose::Dkim, place),
        }
    }
}

/// The SPF record; `None` when there is to be none.
fn spf_record(site: &Site, spf: &Spf, addresses: &[IpAddr]) -> Option<String> {
    let mechanism =
        |address: &dyn std::fmt::Display, is_ipv4: bool| format!(" {}:{address}", if is_ipv4 { "ip4" } else { "ip6" });
    let mut text = "v=spf1".to_owned();
    text.extend(addresses.iter().map(|address| mechanism(address, address.is_ipv4())));
    if addresses.is_empty() {
        let _ = write!(text, " a:{}", site.appliance.hostname.value);
    }
    text.extend(spf.addresses.iter().map(|block| mechanism(&block.value, block.value.address.is_ipv4())));
    text.extend(spf.include.iter().map(|domain| format!(" include:{}", domain.value)));
    text.push_str(match spf.policy {
        SpfPolicy::Fail => " -all",
        SpfPolicy::Softfail => " ~all",
        SpfPolicy::Neutral => " ?all",
        SpfPolicy::None => return None,
    });
    Some(text)
}

fn dmarc<'a>(adding: &mut Adding<'a, '_>, mail: Mail<'a>) {
    let dmarc = &mail.publishing.dmarc;
    let place = mail.place(adding.zone, dmarc);
    for kind in ["TXT", "CNAME"] {
        if adding.said("_dmarc", kind, "") {
            let Dmarc { policy, subdomains, percent, reports } = &dmarc.value;
            let reports = reports.value.local().as_str() == "postmaster" && reports.value.domain() == mail.home;
            if *policy != DmarcPolicy::None || subdomains.is_some() || *percent != 100 || !reports {
                adding.contradiction("dmarc", place, "_dmarc", kind);
            }
            return;
        }
    }
    let reports = mail.here(adding.zone, &dmarc.value.reports.value);
    adding.add("_dmarc", "TXT", dmarc_record(&dmarc.value, &reports), Purpose::Dmarc, place);
}

fn dmarc_record(dmarc: &Dmarc, reports: &Address) -> String {
    let word = |policy| match policy {
        DmarcPolicy::None => "none",
        DmarcPolicy::Quarantine => "quarantine",
        DmarcPolicy::Reject => "reject",
    };
    let mut text = format!("v=DMARC1; p={}", word(dmarc.policy));
    if let Some(policy) = dmarc.subdomains {
        let _ = write!(text, "; sp={}", word(policy));
    }
    if dmarc.percent != 100 {
        let _ = write!(text, "; pct={}", dmarc.percent);
    }
    text + "; rua=" + &mailto(reports)
}

/// An address as a URI (RFC 6068 §2). Commas and exclamation marks, which end a URI in DMARC, are encoded (RFC 7489
/// §6.2).
fn mailto(address: &Address) -> String {
    let mut uri = "mailto:".to_owned();
    for byte in address.to_string().bytes() {
        if byte.is_ascii_alphanumeric() || b"@.-_~+=".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Adds MTA-STS and reports about TLS; gives the policy.
pub(super) fn transport<'a>(adding: &mut Adding<'a, '_>, mail: Mail<'a>) -> Option<StsPolicy> {
    tls_reports(adding, mail);
    let setting = &mail.publishing.mta_sts;
    let place = mail.place(adding.zone, setting);
    let (mode, max_age) = match setting.value {
        MtaSts::None => return None,
        // Senders forget a policy under test within a day.
        MtaSts::Testing => (StsMode::Testing, 86_400),
        MtaSts::Enforce => (StsMode::Enforce, 7 * 86_400),
    };
    for kind in ["TXT", "CNAME"] {
        if adding.said("_mta-sts", kind, "") {
            adding.contradiction("mta_sts", place, "_mta-sts", kind);
            return None;
        }
    }
    let entries = adding.entries.iter().chain(&adding.draft.entries);
    let exchangers = entries.filter(|entry| entry.record.kind == "MX" && entry.record.name == "@");
    let policy = StsPolicy { mode, mx: exchangers.filter_map(|entry| entry.target().parse().ok()).collect(), max_age };
    adding.add("_mta-sts", "TXT", format!("v=STSv1; id={}", policy.id()), Purpose::MtaSts, place);
    if !adding.taken("mta-sts") {
        adding.add(
            "mta-sts",
            "CNAME",
            format!("{}.", adding.site.appliance.hostname.value),
            Purpose::MtaStsHost,
            place,
        );
    }
    Some(policy)
}

fn tls_reports<'a>(adding: &mut Adding<'a, '_>, mail: Mail<'a>) {
    let Some(setting) = &mail.publishing.tls_rpt else { return };
    let place = mail.place(adding.zone, setting);
    for kind in ["TXT", "CNAME"] {
        if adding.said("_smtp._tls", kind, "") {
            adding.contradiction("tls_rpt", place, "_smtp._tls", kind);
            return;
        }
    }
    let uri = mailto(&mail.here(adding.zone, &setting.value));
    adding.add("_smtp._tls", "TXT", format!("v=TLSRPTv1; rua={uri}"), Purpose::TlsReports, place);
}

/// Adds CAA records, for mail domains.
pub(super) fn authorities(adding: &mut Adding<'_, '_>) {
    let authorities = &adding.site.dns.caa;
    // By its own records a zone differs from the others.
    if adding.draft.mail.is_none() || adding.said("@", "CAA", "") {
        return;
    }
    for authority in authorities {
        adding.add("@", "CAA", format!("0 issue \"{}\"", authority.value), Purpose::Caa, &authority.place);
    }
}

/// Adds permissions for reports: a domain of ours that gets the reports of another one says so (RFC 7489 §7.1).
pub(super) fn authorise_reports(zones: &mut Zones<'_>) {
    let mut wanted: Vec<(&Domain, String, Entry<'_>)> = Vec::new();
    for (zone, draft) in &zones.drafts {
        let Some(mail) = draft.mail else { continue };
        let reports = &mail.publishing.dmarc.value.reports;
        let target = mail.here(zone, &reports.value);
        if target.domain() == *zone
            || !draft.entries.iter().any(|entry| !entry.is_own && entry.record.purpose == Purpose::Dmarc)
        {
            continue;
        }
        let owner = format!("{zone}._report._dmarc.{}", target.domain());
        let Some((there, name)) = zones.find(&owner) else { continue };
        let record = entry(&name, "TXT", "v=DMARC1".to_owned(), Purpose::DmarcAuthorisation, mail.place(zone, reports));
        wanted.push((there, name, record));
    }
    for (zone, name, record) in wanted {
        let Some(draft) = zones.drafts.get_mut(zone) else { continue };
        if !draft.has(&name, "TXT", "v=DMARC1") {
            draft.entries.push(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_uris() {
        let check = |address: &str, expected: &str| assert_eq!(mailto(&address.parse().unwrap()), expected);
        check("postmaster@example.org", "mailto:postmaster@example.org");
        check("a!b&c@example.org", "mailto:a%21b%26c@example.org");
        check("\"a,b\"@example.org", "mailto:%22a%2Cb%22@example.org");
    }
}
