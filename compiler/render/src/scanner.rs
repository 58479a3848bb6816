//! The configuration of ClamAV's programs, from templates.

use serde::Serialize;

use crate::template;

/// What the template of `clamd.conf` is filled with, in octets.
#[derive(Serialize)]
struct Sizes {
    stream: u64,
    file: u64,
    scan: u64,
}

/// `clamd.conf`: a message of up to `stream_limit` octets is taken and scanned whole.
pub(crate) fn clamd_conf(stream_limit: u64) -> String {
    // ClamAV's own limits are the least; unpacked content may be larger than the message.
    let file = stream_limit.max(100 << 20);
    let scan = stream_limit.saturating_mul(4).clamp(400 << 20, LARGEST).max(file);
    template::text(include_str!("../templates/clamd.conf"), &Sizes { stream: stream_limit, file, scan })
}

/// `freshclam.conf`.
pub(crate) fn freshclam_conf() -> String {
    template::text(include_str!("../templates/freshclam.conf"), &())
}

/// ClamAV's sizes end below 2 GiB.
const LARGEST: u64 = 2_000 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stream_limit: u64, expected: [u64; 3]) {
        let text = clamd_conf(stream_limit);
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
        assert!(freshclam_conf().contains("\nDatabaseDirectory /data/clamav\n"));
    }
}
