//! DMARC records can be read (RFC 7489 §6.3), and the domains that get their reports have agreed (§7.1).

use postkiln_address::Domain;
use postkiln_findings::{codes, suggest};

use super::tags;
use crate::findings::Findings;
use crate::zones::{Draft, Entry, Zones};

pub(super) fn check(zone: &Domain, draft: &Draft<'_>, zones: &Zones<'_>, findings: &mut Findings) {
    let policies = draft.entries.iter().filter(|entry| {
        let name = &entry.record.name;
        entry.record.kind == "TXT" && (name == "_dmarc" || (name.starts_with("_dmarc.")))
    });
    for entry in policies {
        if draft.at(&entry.record.name, "TXT").count() > 1 {
            let message = format!("{} in {zone} has more than one DMARC record, so none counts", entry.record.name);
            findings.add(codes::RECORD, entry.place, message).hint("join them into one");
        }
        match problem(&entry.record.value) {
            Some((problem, hint)) => {
                let message = format!("the DMARC record of {} in {zone} {problem}", entry.record.name);
                findings.add(codes::DMARC, entry.place, message).hint = hint;
            }
            None => authorised(zone, entry, zones, findings),
        }
    }
}

/// The fault in a record, and advice about it.
fn problem(text: &str) -> Option<(String, Option<String>)> {
    let tags = tags(text);
    if tags.first().is_none_or(|(name, value)| name != "v" || *value != "DMARC1") {
        return Some(("does not begin with \"v=DMARC1\"".to_owned(), None));
    }
    if !tags.iter().any(|(name, _)| name == "p") {
        return Some(("has no policy".to_owned(), Some("add \"p=none\", \"p=quarantine\" or \"p=reject\"".to_owned())));
    }
    tags.iter().find_map(|(name, value)| {
        let Some((_, is_right)) = TAGS.iter().find(|(known, _)| known == name) else {
            let known: Vec<&str> = TAGS.iter().map(|(known, _)| *known).collect();
            let hint = suggest::nearest(name, known).map(|near| format!("did you mean {near:?}?"));
            return Some((format!("has the tag {name:?}, which DMARC does not know"), hint));
        };
        let wrong = || (format!("says \"{name}={value}\", which cannot be"), hint(name));
        (!is_right(value)).then(wrong)
    })
}

fn hint(tag: &str) -> Option<String> {
    let text = match tag {
        "p" | "sp" | "np" => "one of none, quarantine, reject",
        "pct" => "a number from 0 to 100",
        "rua" | "ruf" => "addresses as \"mailto:postmaster@example.org\", between commas",
        _ => return None,
    };
    Some(text.to_owned())
}

type IsRight = fn(&str) -> bool;

const TAGS: [(&str, IsRight); 13] = [
    ("v", |text| text == "DMARC1"),
    ("p", is_policy),
    ("sp", is_policy),
    ("np", is_policy),
    ("pct", |text| text.parse::<u8>().is_ok_and(|share| share <= 100)),
    ("rua", |text| text.split(',').all(is_uri)),
    ("ruf", |text| text.split(',').all(is_uri)),
    ("adkim", is_alignment),
    ("aspf", is_alignment),
    ("fo", |text| text.split(':').all(|option| matches!(option.trim(), "0" | "1" | "d" | "s"))),
    ("rf", |text| !text.is_empty()),
    ("ri", |text| text.parse::<u32>().is_ok()),
    ("psd", |text| matches!(text, "y" | "n" | "u")),
];

fn is_policy(text: &str) -> bool {
    ["none", "quarantine", "reject"].iter().any(|policy| text.eq_ignore_ascii_case(policy))
}

fn is_alignment(text: &str) -> bool {
    matches!(text, "r" | "s")
}

fn is_uri(text: &str) -> bool {
    report_domain(text).is_some() || text.trim().starts_with("https:")
}

/// The domain of `mailto:…`; a size limit may follow (RFC 7489 §6.2).
fn report_domain(uri: &str) -> Option<Domain> {
    let address = uri.trim().strip_prefix("mailto:")?.split('!').next()?;
    let (local, domain) = address.rsplit_once('@')?;
    if local.is_empty() { None } else { domain.parse().ok() }
}

fn authorised(zone: &Domain, entry: &Entry<'_>, zones: &Zones<'_>, findings: &mut Findings) {
    let tags = tags(&entry.record.value);
    let uris = tags.iter().filter(|(name, _)| name == "rua" || name == "ruf").flat_map(|(_, value)| value.split(','));
    for target in uris.filter_map(report_domain).filter(|target| !akin(zone, target)) {
        let owner = format!("{zone}._report._dmarc.{target}");
        let agreed = |found: Vec<&Entry<'_>>| found.iter().any(|other| other.record.value.starts_with("v=DMARC1"));
        if zones.look_up(&owner, "TXT").is_some_and(agreed) {
            continue;
        }
        let message = format!("DMARC reports about {zone} go to {target}, which has to agree first");
        findings.add(codes::REPORTS_ELSEWHERE, entry.place, message).hint(format!(
            "without the record `{owner}. TXT \"v=DMARC1\"` they are not sent; silence this once {target} has it"
        ));
    }
}

/// Whether two domains belong together as far as can be told without the list of public suffixes.
fn akin(one: &Domain, other: &Domain) -> bool {
    one == other
        || one.parents().any(|parent| parent == other.as_str())
        || other.parents().any(|parent| parent == one.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(problem(text).map(|(problem, _)| problem).as_deref(), expected, "{text}");
    }

    #[test]
    fn records_are_read_as_receivers_do() {
        check("v=DMARC1; p=none", None);
        check("v=DMARC1;p=reject;sp=Quarantine;pct=50;rua=mailto:a@example.org!10m,mailto:b@example.net;", None);
        check("v=DMARC1; p=none; adkim=s; aspf=r; fo=1:d:s; ri=86400", None);
        check("p=none; v=DMARC1", Some("does not begin with \"v=DMARC1\""));
        check("v=DMARC1; rua=mailto:a@example.org", Some("has no policy"));
        check("v=DMARC1; p=refuse", Some("says \"p=refuse\", which cannot be"));
        check("v=DMARC1; p=none; pct=101", Some("says \"pct=101\", which cannot be"));
        check("v=DMARC1; p=none; rua=a@example.org", Some("says \"rua=a@example.org\", which cannot be"));
        check("v=DMARC1; p=none; ruaa=mailto:a@example.org", Some("has the tag \"ruaa\", which DMARC does not know"));
    }
}
