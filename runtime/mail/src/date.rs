//! Dates in the form of header fields (RFC 5322 §3.3). The time is an argument; no clock is asked.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A date in qmail's form, `22 Nov 2026 14:36:10 -0000`: UTC, whatever the machine's time zone (`-0000` says just
/// that).
#[must_use]
pub fn date(at: Timestamp) -> String {
    let utc = at.to_zoned(TimeZone::UTC);
    let month = usize::try_from(utc.month()).ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"Jan");
    format!("{} {month} {:04} {:02}:{:02}:{:02} -0000", utc.day(), utc.year(), utc.hour(), utc.minute(), utc.second())
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let check = |seconds, expected| assert_eq!(date(Timestamp::from_second(seconds).unwrap()), expected);
        check(0, "1 Jan 1970 00:00:00 -0000");
        check(1_795_358_170, "22 Nov 2026 14:36:10 -0000");
        check(1_709_251_199, "29 Feb 2024 23:59:59 -0000");
        check(951_782_400, "29 Feb 2000 00:00:00 -0000");
    }
}
