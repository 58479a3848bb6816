//! The serial numbers of zones, by which secondaries know a newer zone (RFC 1035 §3.3.13): they must grow in the sense of
//! RFC 1982. Knows nothing about clocks and repositories; the caller says where the numbers come from.

use std::collections::BTreeMap;

use crate::text::Text;

/// Where the serial numbers of a bundle's zones come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serials {
    /// All zones have this one.
    Same(u32),
    /// The zone files of an earlier bundle, by path: a zone that says the same keeps its number, another one gets the next.
    After(BTreeMap<String, String>),
}

impl Serials {
    /// The number of a zone that nobody has seen yet. Every number that a clock gives until 2038 is larger to a secondary.
    const FIRST: u32 = 1;

    /// The zone file at `path`, made by `print` from the number it is to have.
    pub(crate) fn file(&self, path: &str, print: impl Fn(u32) -> Text) -> Text {
        match self {
            Self::Same(serial) => print(*serial),
            Self::After(files) => {
                let earlier = files.get(path).and_then(|text| Some((text, serial(text)?)));
                let Some((earlier, serial)) = earlier else { return print(Self::FIRST) };
                let unchanged = print(serial);
                if unchanged.as_str() == *earlier { unchanged } else { print(following(serial)) }
            }
        }
    }
}

impl Default for Serials {
    fn default() -> Self {
        Self::Same(Self::FIRST)
    }
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
        check(&Serials::default(), "x", 1);
    }
}
