//! One DNS record of the site: its owner and data checked and written in one form (RFC 1035 §5.1).
//!
//! Names in data: a name with a final dot or a dot inside is absolute, as people write host names; a name without any
//! dot is relative to the zone; `@` is the zone.

use std::net::{Ipv4Addr, Ipv6Addr};

use postkiln_address::Domain;
use postkiln_site::Record;

use crate::model::{Purpose, ZoneRecord};

/// The record in one form, or the fault in it.
pub(super) fn lower(zone: &Domain, record: &Record) -> Result<ZoneRecord, String> {
    let name = owner(zone, &record.name)?;
    let value = record.value.trim();
    let value = match record.kind.as_str() {
        "A" => {
            value.parse::<Ipv4Addr>().map(|address| address.to_string()).map_err(|_| wrong(value, "IPv4 address"))?
        }
        "AAAA" => {
            value.parse::<Ipv6Addr>().map(|address| address.to_string()).map_err(|_| wrong(value, "IPv6 address"))?
        }
        "CNAME" | "NS" => host(zone, value)?,
        "MX" => mx(zone, value)?,
        "SRV" => srv(zone, value)?,
        "CAA" => caa(value)?,
        "TLSA" => tlsa(value)?,
        "TXT" => txt(&record.value)?,
        other => return Err(format!("{other:?} is no type of record that is known here")),
    };
    Ok(ZoneRecord { name, kind: record.kind.clone(), value, purpose: Purpose::Site })
}

fn wrong(value: &str, what: &str) -> String {
    format!("{value:?} is no {what}")
}

/// The owner: `@`, or labels relative to the zone; the first may be `*` (RFC 4592), and labels may begin with `_` (RFC
/// 8552).
fn owner(zone: &Domain, name: &str) -> Result<String, String> {
    let name = name.to_ascii_lowercase();
    if name == "@" || name.is_empty() {
        return Ok("@".to_owned());
    }
    if name.ends_with('.') || name == zone.as_str() || name.ends_with(&format!(".{zone}")) {
        return Err(format!("the name {name:?} is not relative to {zone}: leave the domain out, or write \"@\""));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let labels = name.strip_prefix("*.").unwrap_or(if name == "*" { "x" } else { &name });
    if name.len() + 1 + zone.as_str().len() > 253 || !labels.split('.').all(label) {
        return Err(wrong(&name, "name for a record"));
    }
    Ok(name)
}

/// A host in data, absolute with its final dot.
fn host(zone: &Domain, text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    let absolute = match text.as_str() {
        "@" => zone.to_string(),
        text if !text.contains('.') => format!("{text}.{zone}"),
        text => text.trim_end_matches('.').to_owned(),
    };
    // Underscores stand in names that are no hosts: the targets of CNAMEs for DKIM and the like.
    absolute.replace('_', "a").parse::<Domain>().map_err(|error| format!("{text:?} {}", error.problem))?;
    Ok(absolute + ".")
}

fn mx(zone: &Domain, value: &str) -> Result<String, String> {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    let [preference, exchange] = *words.as_slice() else { return Err(wrong(value, "\"PREFERENCE HOST\"")) };
    let preference: u16 = preference.parse().map_err(|_| wrong(preference, "preference"))?;
    // A single dot is the null MX (RFC 7505).
    let exchange = if exchange == "." { ".".to_owned() } else { host(zone, exchange)? };
    Ok(format!("{preference} {exchange}"))
}

fn srv(zone: &Domain, value: &str) -> Result<String, String> {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    let [priority, weight, port, target] = *words.as_slice() else {
        return Err(wrong(value, "\"PRIORITY WEIGHT PORT HOST\""));
    };
    let number = |text: &str| text.parse::<u16>().map_err(|_| wrong(text, "number up to 65535"));
    // A single dot means that the service does not exist (RFC 2782).
    let target = if target == "." { ".".to_owned() } else { host(zone, target)? };
    Ok(format!("{} {} {} {target}", number(priority)?, number(weight)?, number(port)?))
}

/// The data of a CAA record, `0 issue "ca.example"` (RFC 8659 §4.1.1).
fn caa(value: &str) -> Result<String, String> {
    let bad = || wrong(value, "`FLAGS TAG VALUE`, as in `0 issue \"ca.example\"`");
    let mut words = value.splitn(3, ' ');
    let (Some(flags), Some(tag), Some(text)) = (words.next(), words.next(), words.next()) else { return Err(bad()) };
    let flags: u8 = flags.parse().map_err(|_| bad())?;
    let text = text.trim().trim_matches('"');
    let plain = text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\');
    if tag.is_empty() || !tag.bytes().all(|b| b.is_ascii_alphanumeric()) || !plain {
        return Err(bad());
    }
    Ok(format!("{flags} {} \"{text}\"", tag.to_ascii_lowercase()))
}

/// The data of a TLSA record, `3 1 1 00ff…` (RFC 6698 §2.2).
fn tlsa(value: &str) -> Result<String, String> {
    let bad = || wrong(value, "\"USAGE SELECTOR MATCHING HEX\"");
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    let [usage, selector, matching, digest] = *words.as_slice() else { return Err(bad()) };
    let small = |text: &str, most: u8| text.parse::<u8>().ok().filter(|number| *number <= most).ok_or_else(bad);
    let (usage, selector, matching) = (small(usage, 3)?, small(selector, 1)?, small(matching, 2)?);
    let length = match matching {
        1 => Some(64),
        2 => Some(128),
        _ => None,
    };
    let whole = length.is_none_or(|length| digest.len() == length) && digest.len() % 2 == 0 && !digest.is_empty();
    if !whole || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(bad());
    }
    Ok(format!("{usage} {selector} {matching} {}", digest.to_ascii_lowercase()))
}

/// A fault in the text of a TXT record that has only allowed characters, and advice about it.
pub(super) fn unfit_text(record: &Record) -> Option<(String, &'static str)> {
    let text = record.value.trim();
    if record.kind != "TXT" {
        return None;
    }
    if text.len() > 1 && text.starts_with('"') && text.ends_with('"') {
        let hint = "write it whole and without quotes: it is cut into strings of 255 octets by itself";
        return Some(("has quotes of its own, which would become part of it".to_owned(), hint));
    }
    (text.len() > LONGEST_TEXT).then(|| {
        let hint = "answers of that size do not reach everybody; shorten it";
        (format!("has {} octets, more than {LONGEST_TEXT}", text.len()), hint)
    })
}

/// The longest text in octets: an answer over UDP has to hold it (RFC 6891 §6.2.5 names 4096).
const LONGEST_TEXT: usize = 4096;

fn txt(text: &str) -> Result<String, String> {
    if !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err("the text is not made of printable ASCII characters".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, kind: &str, value: &str, expected: Option<(&str, &str)>) {
        let record = Record { name: name.to_owned(), kind: kind.to_owned(), value: value.to_owned() };
        let got = lower(&"example.org".parse().unwrap(), &record);
        let got = got.as_ref().ok().map(|record| (record.name.as_str(), record.value.as_str()));
        assert_eq!(got, expected, "{name} {kind} {value}");
    }

    #[test]
    fn records_take_one_form() {
        check("WWW", "A", "192.0.2.80", Some(("www", "192.0.2.80")));
        check("@", "AAAA", "2001:DB8::1", Some(("@", "2001:db8::1")));
        check("www2", "CNAME", "www", Some(("www2", "www.example.org.")));
        check("www2", "CNAME", "www.example.net", Some(("www2", "www.example.net.")));
        check(
            "k._domainkey",
            "CNAME",
            "k._domainkey.example.net.",
            Some(("k._domainkey", "k._domainkey.example.net.")),
        );
        check("@", "MX", "20 mx2.example.net", Some(("@", "20 mx2.example.net.")));
        check("_imaps._tcp", "SRV", "0 1 993 mail", Some(("_imaps._tcp", "0 1 993 mail.example.org.")));
        check("@", "CAA", "0 issue \"ca.example\"", Some(("@", "0 issue \"ca.example\"")));
        let digest = "0123456789ABCDEF".repeat(4);
        let lower = format!("3 1 1 {}", digest.to_ascii_lowercase());
        check("_25._tcp", "TLSA", &format!("3 1 1 {digest}"), Some(("_25._tcp", &lower)));
        check("*.dyn", "TXT", "a \"b\"", Some(("*.dyn", "a \"b\"")));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for (name, kind, value) in [
            ("www", "A", "192.0.2.300"),
            ("www.example.org", "A", "192.0.2.1"),
            ("www.", "A", "192.0.2.1"),
            ("a b", "A", "192.0.2.1"),
            ("@", "MX", "mx.example.net"),
            ("@", "MX", "10 192.0.2.1"),
            ("@", "TLSA", "3 1 1 00ff"),
            ("@", "MX", "x mx.example.net"),
            ("@", "CNAME", "a..b"),
            ("@", "SRV", "0 0 99999 mail"),
            ("@", "CAA", "0 issue ca\"x"),
            ("@", "TXT", "a\nb"),
            ("@", "PTR", "x"),
        ] {
            check(name, kind, value, None);
        }
    }
}
