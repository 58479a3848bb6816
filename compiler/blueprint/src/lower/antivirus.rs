//! The scanner's part of the blueprint.

use std::collections::BTreeMap;

use postkiln_control::{ControlFile, Databytes};
use postkiln_site::{Engine, Reload, Site};
use sha2::{Digest, Sha256};

use crate::codes;
use crate::findings::Findings;
use crate::model::{Antivirus, Signature};

/// Decides whether clamd runs, and the size of messages that it must take.
pub(super) fn lower(site: &Site, control: &BTreeMap<String, String>, findings: &mut Findings) -> Antivirus {
    let clamav = site.antivirus.engine.value == Engine::Clamav;
    let mut signatures = BTreeMap::new();
    for signature in &site.antivirus.signatures {
        let sha256 = Sha256::digest(&signature.value.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        signatures.insert(signature.value.name.clone(), Signature { sha256, bytes: signature.value.bytes.clone() });
    }
    if let (false, Some(first)) = (clamav, site.antivirus.signatures.first()) {
        findings
            .add(
                codes::UNUSED_SIGNATURES,
                &first.place,
                "there are signature files and no engine to use them".to_owned(),
            )
            .hint("set `antivirus.engine = 'clamav`");
    }
    Antivirus {
        clamav,
        stream_limit: stream_limit(site, control),
        threads: site.antivirus.threads.value,
        reload_beside: site.antivirus.reload.value == Reload::Beside,
        checks_per_day: site.antivirus.checks_per_day.value,
        mirror: site.antivirus.mirror.value.clone(),
        signatures,
    }
}

/// The largest message from any sender, with room for the header fields that are put before it.
fn stream_limit(site: &Site, control: &BTreeMap<String, String>) -> u64 {
    let databytes = control.get(Databytes::NAME).and_then(|text| Databytes::parse(text.as_bytes()).ok());
    let of_networks =
        site.smtp.networks.iter().filter_map(|network| network.value.size.as_ref().map(|size| size.value));
    let limits: Vec<u64> = of_networks.chain([databytes.unwrap_or_default().0]).collect();
    match limits.iter().max() {
        Some(limit) if !limits.contains(&0) => limit.saturating_add(1 << 20).min(LARGEST_STREAM),
        _ => LARGEST_STREAM,
    }
}

/// The largest stream that is configured: clamd's sizes end below 2 GiB.
const LARGEST_STREAM: u64 = 2_000 << 20;
