//! Proofs about zones as the world would read them: no contradictions, names that lead somewhere, texts that can be
//! read.
//!
//! Asks no name server: names outside the site's zones are not judged, and findings say so where it matters. Start at
//! [`check`].

mod dkim;
mod dmarc;
mod leaving;
mod names;
mod spf;
mod targets;
mod transport;

use postkiln_site::Site;

use super::lengths;
use crate::findings::Findings;
use crate::zones::Zones;

/// Every proof about zones.
pub(crate) fn check(site: &Site, zones: &Zones<'_>, findings: &mut Findings) {
    for (zone, draft) in &zones.drafts {
        names::check(zone, draft, zones, findings);
        targets::check(zone, draft, zones, findings);
        spf::check(zone, draft, zones, findings);
        dmarc::check(zone, draft, zones, findings);
        dkim::check(zone, draft, findings);
        transport::check(site, zone, draft, findings);
    }
    transport::pinned(site, zones, findings);
    leaving::check(site, zones, findings);
    lengths::records(zones, findings);
}

/// `name=value` pairs between semicolons (RFC 6376 §3.2), names in lower case; a text that is no pair comes with an
/// empty value.
fn tags(text: &str) -> Vec<(String, &str)> {
    let pairs = text.split(';').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.trim().to_ascii_lowercase(), value.trim())
        })
        .collect()
}
