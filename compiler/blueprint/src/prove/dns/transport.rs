//! Promises in the DNS about TLS are kept by the certificate of `tls`.

use postkiln_address::Domain;
use postkiln_findings::codes;
use postkiln_site::{Certificate, Site};

use crate::findings::Findings;
use crate::model::StsMode;
use crate::zones::{Draft, Zones};

/// Checks a zone: a policy needs certificates that the world trusts, and CAA must let the authority issue them.
pub(super) fn check(site: &Site, zone: &Domain, draft: &Draft<'_>, findings: &mut Findings) {
    match &site.tls.certificate.value {
        Certificate::SelfSigned => self_signed(zone, draft, findings),
        Certificate::Acme { directory, .. } => may_issue(zone, draft, directory, findings),
        Certificate::Own { .. } => {}
    }
}

/// Checks `dns.tlsa`: it needs a known key, and counts only where DNSSEC vouches for it (RFC 7672 §2.2).
pub(super) fn pinned(site: &Site, zones: &Zones<'_>, findings: &mut Findings) {
    let tlsa = &site.dns.tlsa;
    if !tlsa.value {
        return;
    }
    if !matches!(site.tls.certificate.value, Certificate::Own { .. }) {
        findings
            .add(codes::TLSA_KEY, &tlsa.place, "the key of the certificate is not known, so it cannot be published")
            .hint("`tls.certificate = 'own {…}` names a secret whose public half stands in secrets.lock");
    } else if zones.find(site.appliance.hostname.value.as_str()).is_some() {
        findings
            .add(codes::TLSA_UNSIGNED, &tlsa.place, "a TLSA record counts only in a zone that is signed")
            .hint("the zones made here are not signed: have the name server sign them, then silence this");
    }
}

fn self_signed(zone: &Domain, draft: &Draft<'_>, findings: &mut Findings) {
    let (Some(policy), Some(mail)) = (&draft.mta_sts, draft.mail) else { return };
    // An alias domain's policy is judged with that of the domain it stands for.
    if mail.home != zone {
        return;
    }
    let place = &mail.publishing.mta_sts.place;
    let (code, what) = match policy.mode {
        StsMode::Enforce => (codes::STS_SELF_SIGNED, "others would refuse to send it mail"),
        StsMode::Testing => (codes::STS_TESTING, "others would report every message"),
    };
    findings
        .add(code, place, format!("{zone} asks for a certificate that the world trusts, and has none: {what}"))
        .hint("set `tls.certificate` to 'acme {…} or 'own {…} first");
}

/// With CAA records, only the authorities that they name may issue (RFC 8659 §3).
fn may_issue(zone: &Domain, draft: &Draft<'_>, directory: &str, findings: &mut Findings) {
    let host = directory.trim_start_matches("https://").split(['/', ':']).next().unwrap_or_default();
    let mut issuers =
        draft.entries.iter().filter(|entry| entry.record.kind == "CAA" && entry.record.value.contains(" issue "));
    let Some(first) = issuers.clone().next().filter(|_| draft.mail.is_none_or(|mail| mail.home == zone)) else {
        return;
    };
    let named = |value: &str| {
        let name = value.split('"').nth(1).unwrap_or_default().split(';').next().unwrap_or_default().trim();
        !name.is_empty() && (host == name || host.ends_with(&format!(".{name}")))
    };
    if !issuers.any(|entry| named(&entry.record.value)) {
        findings
            .add(codes::CAA_ACME, first.place, format!("the CAA records of {zone} do not name the authority of {host}"))
            .hint("name it in `dns.caa`, or it will refuse to issue the certificate");
    }
}
