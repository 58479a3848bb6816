//! Quantities: sizes (`5 GiB`, `300 MB`), times (`1 day`, `30 minutes`), and plain counts.

use crate::answer::Value;
use crate::decode::walker::{At, Walker};
use crate::{Placed, codes};

/// A size in octets.
pub(super) fn octets(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<u64>> {
    walker.parsed(at, "a size", Some("write a number and a unit: \"5 GiB\", \"300 MB\""), size)
}

/// A time in seconds.
pub(super) fn seconds(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<u64>> {
    walker.parsed(at, "a time", Some("write a number and a unit: \"1 day\", \"30 minutes\""), time)
}

/// A whole number of things.
pub(super) fn count(walker: &Walker<'_>, at: &At<'_>, things: &str, least: u64) -> Option<Placed<u64>> {
    let Value::Integer(number) = at.node.value else {
        walker.mistyped(at, &format!("a whole number of {things}"), None);
        return None;
    };
    let found = u64::try_from(number).ok().filter(|number| (least..=MOST).contains(number));
    if found.is_none() {
        walker.report(codes::VALUE, format!("{number} {things} are not between {least} and {MOST}"), &at.place, None);
    }
    found.map(|number| at.placed(number))
}

/// The largest number that every database column and control file can hold.
const MOST: u64 = i32::MAX as u64;

/// Octets of a size. Decimal and binary prefixes mean what IEC 80000-13 says: `1 MB` is 1,000,000, `1 MiB` 1,048,576.
///
/// # Errors
/// With what is wrong, as a sentence.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let factors: [(&str, u64); 9] = [
        ("B", 1),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    quantity(text, &factors, "B, kB, MB, GB, TB, KiB, MiB, GiB or TiB")
}

/// A size as a person writes it: the largest unit that gives a whole number, else octets.
#[must_use]
pub fn size_text(octets: u64) -> String {
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if octets >> shift > 0 && octets & ((1 << shift) - 1) == 0 {
            return format!("{} {unit}", octets >> shift);
        }
    }
    format!("{octets} octets")
}

/// Seconds of a time.
///
/// # Errors
/// With what is wrong, as a sentence.
pub(super) fn time(text: &str) -> Result<u64, String> {
    let factors = [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400), ("week", 604_800)];
    let plural = text.strip_suffix('s').unwrap_or(text);
    quantity(plural, &factors, "seconds, minutes, hours, days or weeks").map_err(|error| error.replace(plural, text))
}

fn quantity(text: &str, factors: &[(&str, u64)], units: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    if digits.is_empty() {
        return Err(format!("{text:?} does not begin with a whole number"));
    }
    let factor = factors.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor);
    let factor = factor.ok_or_else(|| format!("{text:?} has not one of the units {units}"))?;
    let number: Option<u64> = digits.parse().ok();
    number.and_then(|number| number.checked_mul(factor)).ok_or_else(|| format!("{text:?} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parsed: Result<u64, String>, expected: Result<u64, &str>) {
        assert_eq!(parsed.as_ref().map_err(String::as_str), expected.as_ref().map_err(|text| *text));
    }

    #[test]
    fn sizes_have_units() {
        check(size("5 GiB"), Ok(5 << 30));
        check(size("300 MB"), Ok(300_000_000));
        check(size("300mb"), Ok(300_000_000));
        let units = "has not one of the units B, kB, MB, GB, TB, KiB, MiB, GiB or TiB";
        check(size("5"), Err(&format!("\"5\" {units}")));
        check(size("1.5 GiB"), Err(&format!("\"1.5 GiB\" {units}")));
        check(size("-5 GiB"), Err("\"-5 GiB\" does not begin with a whole number"));
        check(size("99999999999999999999 B"), Err("\"99999999999999999999 B\" is too large"));
        check(size("99999999999 TiB"), Err("\"99999999999 TiB\" is too large"));
        check(size(""), Err("\"\" does not begin with a whole number"));
    }

    #[test]
    fn sizes_are_shown_as_they_are_read() {
        for text in ["1 KiB", "1023 KiB", "25 MiB", "11 GiB", "3 TiB"] {
            assert_eq!(size(text).map(size_text).as_deref(), Ok(text));
        }
        assert_eq!([0, 1023, 300_000_001].map(size_text), ["0 octets", "1023 octets", "300000001 octets"]);
    }

    #[test]
    fn times_have_units() {
        check(time("1 day"), Ok(86_400));
        check(time("30 minutes"), Ok(1_800));
        check(time("1 week"), Ok(604_800));
        check(time("2 mins"), Err("\"2 mins\" has not one of the units seconds, minutes, hours, days or weeks"));
    }
}
