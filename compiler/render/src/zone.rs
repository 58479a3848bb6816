//! A zone as a master file for name servers (RFC 1035 §5).

use std::fmt::Display;

use postkiln_blueprint::Zone;
use sha2::{Digest, Sha256};

/// The file. Its serial is made from its content, so that the same site gives the same bytes and a change another serial;
/// it does not grow, which only matters to secondaries that were told otherwise.
pub(crate) fn print(name: &impl Display, zone: &Zone) -> String {
    let records: String = zone
        .records
        .iter()
        .map(|record| {
            let value = if record.kind == "TXT" { quoted(&record.value) } else { record.value.clone() };
            format!("{}\tIN\t{}\t{value}\n", record.name, record.kind)
        })
        .collect();
    let negative = zone.ttl.min(3600);
    // RFC 1035 §3.3.13: the name server that has the zone first.
    let is_first = |kind: &str, owner: &str| kind == "NS" && owner == "@";
    let first = zone.records.iter().find(|record| is_first(&record.kind, &record.name));
    let server = first.map_or_else(|| format!("{name}."), |record| record.value.clone());
    let soa = |serial: u32| format!("@\tIN\tSOA\t{server} postmaster.{name}. {serial} 7200 900 1209600 {negative}\n");
    let head = format!("; Made by postkiln from the site.\n$ORIGIN {name}.\n$TTL {}\n", zone.ttl);
    let digest = Sha256::digest(format!("{head}{}{records}", soa(0)).as_bytes());
    let serial = digest.iter().take(4).fold(0, |serial: u32, byte| serial << 8 | u32::from(*byte));
    format!("{head}{}{records}", soa(serial.max(1)))
}

/// Character strings of at most 255 octets (RFC 1035 §3.3.14).
fn quoted(text: &str) -> String {
    let escaped = |string: &str| format!("\"{}\"", string.replace('\\', "\\\\").replace('"', "\\\""));
    strings(text).into_iter().map(escaped).collect::<Vec<_>>().join(" ")
}

/// A text of ASCII in pieces of at most 255 octets; an empty text gives one empty piece.
pub(crate) fn strings(text: &str) -> Vec<&str> {
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some((string, further)) = rest.split_at_checked(255).filter(|(_, further)| !further.is_empty()) {
        strings.push(string);
        rest = further;
    }
    strings.push(rest);
    strings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_cut() {
        assert_eq!(quoted("a \"b\" \\"), r#""a \"b\" \\""#);
        assert_eq!(quoted(&"x".repeat(255)), format!("\"{}\"", "x".repeat(255)));
        assert_eq!(quoted(&"x".repeat(256)), format!("\"{}\" \"x\"", "x".repeat(255)));
        assert_eq!(quoted(""), "\"\"");
    }

    #[test]
    fn the_serial_follows_the_content() {
        let zone = |ttl| {
            let zone = Zone { ttl, publish: true, records: Vec::new(), mta_sts: None, client: Vec::new() };
            print(&"example.org", &zone)
        };
        assert_eq!(zone(60), zone(60));
        let serial = |text: &str| {
            let soa = text.lines().find(|line| line.contains("SOA")).unwrap();
            soa.split_whitespace().nth(5).unwrap().parse::<u32>().unwrap()
        };
        assert_ne!(serial(&zone(60)), serial(&zone(61)));
    }
}
