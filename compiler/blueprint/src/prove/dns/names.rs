//! Records of the same name, and the zone that a name belongs in.

use postkiln_address::Domain;
use postkiln_findings::codes;

use crate::findings::Findings;
use crate::zones::{Draft, Entry, Zones, is_private, relative};

pub(super) fn check(zone: &Domain, draft: &Draft<'_>, zones: &Zones<'_>, findings: &mut Findings) {
    for entry in &draft.entries {
        match entry.record.kind.as_str() {
            "CNAME" => alone(zone, draft, entry, findings),
            "A" | "AAAA" => reachable(zone, entry, findings),
            _ => {}
        }
        if entry.is_own {
            not_below_a_cut(zone, draft, zones, entry, findings);
        }
    }
}

/// A CNAME stands alone (RFC 1034 §3.6.2). That includes the zone itself, which always has NS and SOA.
fn alone(zone: &Domain, draft: &Draft<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let name = &entry.record.name;
    let others = draft.entries.iter().filter(|other| other.record.name == *name).count();
    if entry.is_own && (name == "@" || others > 1) {
        findings
            .add(codes::RECORD, entry.place, format!("{name} in {zone} has a CNAME record and others beside it"))
            .hint("a CNAME stands alone: use an A record");
    }
}

fn reachable(zone: &Domain, entry: &Entry<'_>, findings: &mut Findings) {
    let address = entry.record.value.parse();
    if address.is_ok_and(is_private) {
        let message = format!(
            "{} in {zone} has the address {}, which the world does not reach",
            entry.record.name, entry.record.value
        );
        let hint = if entry.is_own {
            "use a public address, or keep the record in an internal zone"
        } else {
            "set `dns.address` (or `dns.address6`) to the address others reach the appliance at"
        };
        findings.add(codes::PRIVATE_ADDRESS, entry.place, message).hint(hint);
    }
}

/// A zone's records for names that it has delegated to another zone have no effect (RFC 1034 §4.2.1), except for the
/// addresses of name servers.
fn not_below_a_cut(zone: &Domain, draft: &Draft<'_>, zones: &Zones<'_>, entry: &Entry<'_>, findings: &mut Findings) {
    let (name, kind) = (&entry.record.name, entry.record.kind.as_str());
    if name == "@" {
        return;
    }
    let full = format!("{name}.{zone}");
    let ours = zones.find(&full).map(|(holder, _)| holder.to_string()).filter(|holder| *holder != zone.as_str());
    let delegated = draft.entries.iter().find_map(|other| {
        let cut = (other.record.kind == "NS" && other.record.name != "@").then_some(&other.record.name)?;
        (name == cut || name.ends_with(&format!(".{cut}"))).then(|| format!("{cut}.{zone}"))
    });
    let Some(holder) = ours.or(delegated) else { return };
    let at_the_cut = relative(&full, zone).is_some() && full == holder;
    let is_glue = matches!(kind, "A" | "AAAA")
        && draft.entries.iter().any(|other| other.record.kind == "NS" && other.target() == full);
    if is_glue || (at_the_cut && kind == "NS") {
        return;
    }
    let message = format!("{full} lies in the zone {holder}, so this {kind} record in {zone} is not heard");
    findings
        .add(codes::WRONG_ZONE, entry.place, message)
        .hint(format!("write it below `dns.records.\"{holder}\"`, or where that zone is kept"));
}
