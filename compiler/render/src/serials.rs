//! The serial numbers of zones, by which secondaries know a newer zone (RFC 1035 §3.3.13): they must grow in the sense
//! of RFC 1982. Knows nothing about clocks and repositories; the caller says where the numbers come from.

use std::collections::BTreeMap;

use crate::text::Text;

/// Where the serial numbers of a bundle's zones come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serials {
    /// All zones have this one.
    Same(u32),
    /// The zone files of an earlier bundle, by path: a zone that says the same keeps its number, another one
    /// gets the next.
    After(BTreeMap<String, String>),
    /// This one for every zone whose number in an earlier bundle is smaller (RFC 1982 §3.2), else as
    /// [`After`](Self::After) that bundle: the clock of whoever commits may go back.
    AtLeast(u32, BTreeMap<String, String>),
}

impl Serials {
    /// The number of a zone that nobody has seen yet. Every number that a clock gives until 2038 is larger
    /// to a secondary.
    const FIRST: u32 = 1;

    /// The zone file at `path`, made by `print` from the number it is to have.
    pub(crate) fn file(&self, path: &str, print: impl Fn(u32) -> Text) -> Text {
        match self {
            Self::Same(serial) => print(*serial),
            Self::After(files) => match earlier(files, path) {
                Some((text, serial)) => after(text, serial, print),
                None => print(Self::FIRST),
            },
            Self::AtLeast(least, files) => match earlier(files, path) {
                Some((text, serial)) if !is_newer(*least, serial) => after(text, serial, print),
                _ => print(*least),
            },
        }
    }
}

impl Default for Serials {
    fn default() -> Self {
        Self::Same(Self::FIRST)
    }
}

/// The zone file of an earlier bundle, with its number.
fn earlier<'f>(files: &'f BTreeMap<String, String>, path: &str) -> Option<(&'f str, u32)> {
    files.get(path).and_then(|text| Some((text.as_str(), serial(text)?)))
}

/// The zone with the number it had when it says the same, else with the next one.
fn after(earlier: &str, serial: u32, print: impl Fn(u32) -> Text) -> Text {
    let unchanged = print(serial);
    if unchanged.as_str() == earlier { unchanged } else { print(following(serial)) }
}

/// Whether a secondary that has the number `old` takes `new` for newer (RFC 1982 §3.2).
const fn is_newer(new: u32, old: u32) -> bool {
    matches!(new.wrapping_sub(old), 1..=0x7fff_ffff)
}

/// The serial number after this one (RFC 1982 §3.1); 0 is left out, since some secondaries take it for none.
#[must_use]
pub fn following(serial: u32) -> u32 {
    serial.wrapping_add(1).max(1)
}

/// The serial number in a zone file of ours: the third word of the data of its SOA record.
fn serial(zone: &str) -> Option<u32> {
    let (_, data) = zone.lines().find_map(|line| line.split_once("\tIN\tSOA\t"))?;
    data.split(' ').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(serial: u32, rest: &str) -> String {
        format!("$TTL 60\n@\tIN\tSOA\tns.example. postmaster.example. {serial} 7200 900 1209600 60\n{rest}\n")
    }

    fn check(serials: &Serials, rest: &str, expected: u32) {
        let made = serials.file("dns/a.zone", |serial| Text::of(&zone(serial, rest), None));
        assert_eq!(made.as_str(), zone(expected, rest));
    }

    #[test]
    fn a_zone_that_changes_gets_the_next_number() {
        let after = |serial| Serials::After([("dns/a.zone".to_owned(), zone(serial, "x"))].into());
        check(&after(7), "x", 7);
        check(&after(7), "y", 8);
        check(&after(u32::MAX), "y", 1);
        check(&Serials::After(BTreeMap::new()), "x", 1);
        check(&Serials::After([("dns/a.zone".to_owned(), "no zone".to_owned())].into()), "x", 1);
        check(&Serials::Same(5), "x", 5);
        let at_least = |least, serial| Serials::AtLeast(least, [("dns/a.zone".to_owned(), zone(serial, "x"))].into());
        check(&at_least(900, 7), "x", 900);
        check(&at_least(900, 900), "x", 900);
        check(&at_least(900, 900), "y", 901);
        check(&at_least(900, 2000), "y", 2001);
        check(&at_least(900, u32::MAX), "y", 900);
        check(&Serials::AtLeast(900, BTreeMap::new()), "x", 900);
        check(&Serials::default(), "x", 1);
    }
}
