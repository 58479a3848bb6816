//! `dns`: time to live, public addresses, who serves the zones, further records.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use postkiln_address::Domain;

use crate::decode::publishing::hosts;
use crate::decode::quantity;
use crate::decode::walker::{At, Walker};
use crate::{Dns, Placed, Record, codes};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Dns> {
    let fields = walker.fields(at, "dns", FIELDS)?;
    let ttl = fields.defaulted("ttl").and_then(|at| {
        walker.parsed(&at, "a time", Some("write a number and a unit: \"1 hour\""), |text| {
            // RFC 2181 §8: at most 2^31 - 1.
            let seconds = quantity::time(text)?;
            u32::try_from(seconds).ok().filter(|ttl| *ttl < 1 << 31).ok_or_else(|| format!("{text:?} is too long"))
        })
    });
    let address = fields.optional("address", |at| walker.parsed(at, "an IPv4 address", None, str::parse::<Ipv4Addr>));
    let address6 = fields.optional("address6", |at| walker.parsed(at, "an IPv6 address", None, str::parse::<Ipv6Addr>));
    let name_servers = fields.defaulted("name_servers").and_then(|at| hosts(walker, &at, "name servers"));
    let publish = fields.defaulted("publish").and_then(|at| walker.boolean(&at).map(|value| at.placed(value)));
    let caa = fields.defaulted("caa").and_then(|at| hosts(walker, &at, "certificate authorities"));
    let tlsa = fields.defaulted("tlsa").and_then(|at| walker.boolean(&at).map(|value| at.placed(value)));
    let records = fields.optional("records", |at| all_records(walker, at));
    Some(Dns {
        ttl: ttl?,
        address: address?,
        address6: address6?,
        name_servers: name_servers?,
        publish: publish?,
        caa: caa?,
        tlsa: tlsa?,
        records: records?.unwrap_or_default(),
    })
}

fn all_records(walker: &Walker<'_>, at: &At<'_>) -> Option<BTreeMap<Domain, Vec<Placed<Record>>>> {
    let mut zones = BTreeMap::new();
    let mut complete = true;
    for named in walker.entries(at, "the records by zone")? {
        let zone = walker.domain_name::<Domain>(&named, None);
        let records = walker.list(&named.value, "records").and_then(|items| {
            let found: Vec<_> = items.iter().map(|item| record(walker, item)).collect();
            found.into_iter().collect::<Option<Vec<_>>>()
        });
        match (zone, records) {
            (Some(zone), Some(records)) => zones.entry(zone).or_insert_with(Vec::new).extend(records),
            _ => complete = false,
        }
    }
    complete.then_some(zones)
}

fn record(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Record>> {
    let fields = walker.fields(at, "a record", &["name", "type", "value"])?;
    let name = fields.required("name").and_then(|at| walker.parsed(&at, "the name of a record", None, owner));
    let kind = fields.required("type").and_then(|at| walker.tag(&at, &KINDS.map(|kind| (kind, kind))));
    let value = fields.required("value").and_then(|at| {
        let line = walker.line(&at, "the data of a record")?;
        Some(line)
    });
    let (name, kind, value) = (name?, kind?, value?);
    if let Err(problem) = data(kind.value, &value.value) {
        walker.report(codes::VALUE, format!("not the data of {}: {problem}", article(kind.value)), &value.place, None);
        return None;
    }
    Some(at.placed(Record { name: name.value, kind: kind.value.to_owned(), value: value.value }))
}

/// `@`, or labels relative to the zone; `_dmarc` and `*` are labels of DNS though not of host names.
fn owner(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let inner = label.strip_prefix('_').unwrap_or(label);
        let letters = inner.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        !inner.is_empty() && label.len() <= 63 && letters
    };
    let labels = text.strip_prefix("*.").unwrap_or(text);
    let good = text == "@" || text == "*" || (text.len() <= 200 && labels.split('.').all(label));
    if good {
        return Ok(text.to_ascii_lowercase());
    }
    Err(format!("{text:?} is neither `@` nor labels relative to the zone"))
}

/// Whether data has the form its type wants, so that a name server takes the zone.
fn data(kind: &str, text: &str) -> Result<(), String> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |word: &str| word.parse::<u16>().map(|_| ()).map_err(|_| format!("{word:?} is no number up to 65535"));
    match (kind, words.as_slice()) {
        ("A", [one]) => one.parse::<Ipv4Addr>().map(|_| ()).map_err(|_| format!("{one:?} is no IPv4 address")),
        ("AAAA", [one]) => one.parse::<Ipv6Addr>().map(|_| ()).map_err(|_| format!("{one:?} is no IPv6 address")),
        ("CNAME" | "NS", [one]) => host(one),
        ("MX", [preference, name]) => number(preference).and_then(|()| host(name)),
        ("SRV", [priority, weight, port, name]) => {
            [priority, weight, port].into_iter().try_for_each(|word| number(word)).and_then(|()| host(name))
        }
        ("CAA", [flags, tag, value]) => {
            let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
            let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            if flags.parse::<u8>().is_err()
                || !tag.bytes().all(|b| b.is_ascii_alphanumeric())
                || !plain(quoted)
                || quoted.contains('"')
            {
                return Err("write flags, tag and value, as `0 issue \"ca.example.net\"`".to_owned());
            }
            Ok(())
        }
        ("TLSA", [usage, selector, matching, digest]) => {
            let number =
                |word: &str| word.parse::<u8>().map(|_| ()).map_err(|_| format!("{word:?} is no number up to 255"));
            let hex = !digest.is_empty() && digest.len() % 2 == 0 && digest.bytes().all(|b| b.is_ascii_hexdigit());
            [usage, selector, matching].into_iter().try_for_each(|word| number(word))?;
            if hex { Ok(()) } else { Err(format!("{digest:?} is not hexadecimal")) }
        }
        ("TXT", _) if text.is_ascii() => Ok(()),
        ("TXT", _) => Err("it is not ASCII".to_owned()),
        _ => Err(format!("{text:?} has the wrong number of parts")),
    }
}

/// A name, with or without the final dot that makes it absolute in zone files, or `.`/`@`.
fn host(text: &str) -> Result<(), String> {
    if matches!(text, "." | "@") {
        return Ok(());
    }
    owner(text.strip_suffix('.').unwrap_or(text)).map(|_| ()).map_err(|_| format!("{text:?} is no name"))
}

fn article(kind: &str) -> String {
    if matches!(kind, "A" | "AAAA" | "MX" | "NS" | "SRV") {
        format!("an {kind} record")
    } else {
        format!("a {kind} record")
    }
}

const FIELDS: &[&str] = &["ttl", "address", "address6", "name_servers", "publish", "caa", "tlsa", "records"];

const KINDS: [&str; 9] = ["A", "AAAA", "CNAME", "MX", "TXT", "NS", "SRV", "CAA", "TLSA"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, text: &str, good: bool) {
        assert_eq!(data(kind, text).is_ok(), good, "{kind} {text}");
    }

    #[test]
    fn data_has_the_form_of_its_type() {
        check("A", "192.0.2.80", true);
        check("A", "www", false);
        check("A", "192.0.2.80 x", false);
        check("AAAA", "2001:db8::1", true);
        check("CNAME", "www.example.org.", true);
        check("CNAME", "a b", false);
        check("MX", "10 mail", true);
        check("MX", "mail", false);
        check("SRV", "0 1 443 www", true);
        check("SRV", "0 1 99999 www", false);
        check("CAA", "0 issue \"ca.example.net\"", true);
        check("CAA", "issue ca", false);
        check("TLSA", "3 1 1 00ff", true);
        check("TLSA", "3 1 1 0", false);
        check("TXT", "v=spf1 -all", true);
        check("TXT", "gr\u{fc}n", false);
    }

    #[test]
    fn owners_are_relative() {
        for good in ["@", "www", "_dmarc", "a.b", "*", "*.dev", "_25._tcp.mail"] {
            assert!(owner(good).is_ok(), "{good}");
        }
        for bad in ["", "www.", "a..b", "a b", "-\n", "."] {
            assert!(owner(bad).is_err(), "{bad}");
        }
    }
}
