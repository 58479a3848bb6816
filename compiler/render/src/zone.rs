//! A zone as a master file for name servers (RFC 1035 §5).

use std::fmt::Display;

use postkiln_blueprint::{Cause, Kind, Zone};

use crate::text::Text;

/// The file, with this serial number in its SOA record (RFC 1035 §3.3.13).
pub(crate) fn print(name: &impl Display, zone: &Zone, serial: u32) -> Text {
    let whole = Cause::of(Kind::Zone, name);
    let negative = zone.ttl.min(3600);
    // RFC 1035 §3.3.13: the name server that has the zone first.
    let is_first = |kind: &str, owner: &str| kind == "NS" && owner == "@";
    let first = zone.records.iter().find(|record| is_first(&record.kind, &record.name));
    let server = first.map_or_else(|| format!("{name}."), |record| record.value.clone());
    let mut text = Text::of(&format!("; Made by postkiln from the site.\n$ORIGIN {name}.\n"), None);
    text.add(&format!("$TTL {}\n", zone.ttl), Some(whole.at(&["ttl"])));
    let soa = format!("@\tIN\tSOA\t{server} postmaster.{name}. {serial} 7200 900 1209600 {negative}\n");
    text.add(&soa, Some(whole.at(&["@", "SOA"])));
    for record in &zone.records {
        let value = if record.kind == "TXT" { quoted(&record.value) } else { record.value.clone() };
        let line = format!("{}\tIN\t{}\t{value}\n", record.name, record.kind);
        text.add(&line, Some(whole.at(&[&record.name, &record.kind])));
    }
    text
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
}
