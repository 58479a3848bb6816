//! The configuration of ClamAV's programs, from templates.

use postkiln_blueprint::Antivirus;
use serde::Serialize;

use crate::template;

/// The values in the template of `clamd.conf`; sizes in octets.
#[derive(Serialize)]
struct Clamd {
    stream: u64,
    file: u64,
    scan: u64,
    threads: u32,
    reload: &'static str,
}

/// The values in the template of `freshclam.conf`.
#[derive(Serialize)]
struct Freshclam<'a> {
    mirror: &'a str,
    checks: u32,
}

/// The content of `clamd.conf`: a message of up to `stream_limit` octets is taken and scanned whole.
pub(crate) fn clamd_conf(antivirus: &Antivirus) -> String {
    // The limits are never below ClamAV's own; unpacked content may be larger than the message.
    let stream_limit = antivirus.stream_limit;
    let file = stream_limit.max(100 << 20);
    let scan = stream_limit.saturating_mul(4).clamp(400 << 20, LARGEST).max(file);
    let reload = if antivirus.reload_beside { "yes" } else { "no" };
    let clamd = Clamd { stream: stream_limit, file, scan, threads: antivirus.threads, reload };
    template::text(include_str!("../templates/clamd.conf"), &clamd)
}

/// The content of `freshclam.conf`.
pub(crate) fn freshclam_conf(antivirus: &Antivirus) -> String {
    let freshclam = Freshclam { mirror: antivirus.mirror.as_str(), checks: antivirus.checks_per_day };
    template::text(include_str!("../templates/freshclam.conf"), &freshclam)
}

/// The largest size in octets that we write: ClamAV's sizes end below 2 GiB.
const LARGEST: u64 = 2_000 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn antivirus(stream_limit: u64) -> Antivirus {
        Antivirus {
            clamav: true,
            stream_limit,
            threads: 2,
            reload_beside: true,
            checks_per_day: 24,
            mirror: "signatures.example".parse().unwrap(),
            signatures: std::collections::BTreeMap::new(),
        }
    }

    fn check(stream_limit: u64, expected: [u64; 3]) {
        let text = clamd_conf(&antivirus(stream_limit));
        for (name, value) in ["StreamMaxLength", "MaxFileSize", "MaxScanSize"].into_iter().zip(expected) {
            assert!(text.contains(&format!("\n{name} {value}\n")), "{name} {value} in {text}");
        }
    }

    #[test]
    fn no_size_is_under_the_largest_message() {
        check(26 << 20, [26 << 20, 100 << 20, 400 << 20]);
        check(300 << 20, [300 << 20, 300 << 20, 1200 << 20]);
        check(2_000 << 20, [2_000 << 20, 2_000 << 20, 2_000 << 20]);
    }

    #[test]
    fn the_updater_knows_where_signatures_live() {
        let text = freshclam_conf(&antivirus(1));
        for line in ["DatabaseDirectory /data/clamav", "DatabaseMirror signatures.example", "Checks 24"] {
            assert!(text.contains(&format!("\n{line}\n")), "{line} in {text}");
        }
    }

    #[test]
    fn threads_and_reloading_are_as_the_site_says() {
        let text = clamd_conf(&antivirus(1));
        assert!(text.contains("\nMaxThreads 2\n") && text.contains("\nConcurrentDatabaseReload yes\n"), "{text}");
    }
}
