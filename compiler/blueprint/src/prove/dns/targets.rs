//! Mail exchangers, name servers and services have addresses, and each is named once.

use postkiln_address::Domain;
use postkiln_findings::codes;

use crate::findings::Findings;
use crate::zones::{Draft, Entry, Zones};

pub(super) fn check(zone: &Domain, draft: &Draft<'_>, zones: &Zones<'_>, findings: &mut Findings) {
    let mut seen: Vec<(&str, &str, &str)> = Vec::new();
    for entry in &draft.entries {
        let kind = entry.record.kind.as_str();
        if !matches!(kind, "MX" | "NS" | "SRV") || draft.repeats(zone, entry) {
            continue;
        }
        let target = entry.target();
        if target.is_empty() {
            if kind == "MX" {
                null_mx(zone, draft, entry, findings);
            }
            continue;
        }
        let identity = (entry.record.name.as_str(), kind, target);
        if kind != "SRV" && seen.contains(&identity) {
            let message = format!("{target} stands twice among the {kind} records of {} in {zone}", entry.record.name);
            findings.add(codes::TARGET_TWICE, entry.place, message).hint("remove one");
        }
        seen.push(identity);
        has_address(zone, entry, zones, findings);
    }
}

/// A null MX stands alone: it says that a domain takes no mail (RFC 7505 §3).
fn null_mx(zone: &Domain, draft: &Draft<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let name = &entry.record.name;
    let problem = if draft.at(name, "MX").count() > 1 {
        "beside other MX records"
    } else if name == "@" && draft.mail.is_some() {
        "though this site takes mail for it"
    } else {
        return;
    };
    let message = format!("a null MX says that {name} in {zone} takes no mail, {problem}");
    findings.add(codes::NULL_MX, entry.place, message).hint("remove the record, or the others");
}

/// A target within our zones has an address and is no alias (RFC 2181 §10.3, RFC 2782).
fn has_address(zone: &Domain, entry: &Entry<'_>, zones: &Zones<'_>, findings: &mut Findings) {
    let (target, name, kind) = (entry.target(), &entry.record.name, &entry.record.kind);
    let Some(aliases) = zones.look_up(target, "CNAME") else { return };
    if let Some(alias) = aliases.first() {
        let message =
            format!("the {kind} record of {name} in {zone} names {target}, which is an alias of {}", alias.target());
        findings
            .add(codes::ALIAS_TARGET, entry.place, message)
            .hint(format!("name {} itself, or give {target} an address in place of the CNAME", alias.target()))
            .related(alias.place, "the alias");
        return;
    }
    let has = |kind| zones.look_up(target, kind).is_some_and(|found| !found.is_empty());
    if has("A") || has("AAAA") || handed_over(zones, target) {
        return;
    }
    let holder = zones.find(target).map(|(holder, name)| (holder.to_string(), name)).unwrap_or_default();
    let message = format!("the {kind} record of {name} names {target}, which has no address in {}", holder.0);
    findings.add(codes::RECORD, entry.place, message).hint(format!("add an A record for {:?}", holder.1));
}

/// Whether a name lies below a delegation to somebody else's zone.
fn handed_over(zones: &Zones<'_>, target: &str) -> bool {
    let Some((zone, name)) = zones.find(target) else { return false };
    zones.drafts.get(zone).is_some_and(|draft| {
        let mut cuts = draft.entries.iter().filter(|entry| entry.record.kind == "NS" && entry.record.name != "@");
        cuts.any(|cut| name == cut.record.name || name.ends_with(&format!(".{}", cut.record.name)))
    })
}
