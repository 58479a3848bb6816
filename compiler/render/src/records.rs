//! `dns/records.json`: every record in a form independent of providers, for people who enter them one by one and for
//! programs that do so. `schemas/manual/dns.md` describes it. Start at [`document`].

use std::net::IpAddr;

use postkiln_address::Domain;
use postkiln_blueprint::{Blueprint, Cause, Kind, Need, Purpose, Zone, ZoneRecord};
use serde::Serialize;

use crate::text::Text;
use crate::{json, zone};

#[derive(Serialize)]
struct Record<'a> {
    zone: &'a Domain,
    name: &'a str,
    fqdn: String,
    #[serde(rename = "type")]
    kind: &'a str,
    ttl: u32,
    value: &'a str,
    data: Data<'a>,
    purpose: Purpose,
    need: Need,
    why: &'static str,
}

/// A record's data in parts, as providers ask for them.
#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Address { address: &'a str },
    Host { host: &'a str },
    Mx { preference: u16, exchange: &'a str },
    Srv { priority: u16, weight: u16, port: u16, target: &'a str },
    Caa { flags: u8, tag: &'a str, value: &'a str },
    Tlsa { usage: u8, selector: u8, matching: u8, data: &'a str },
    Text { strings: Vec<&'a str> },
}

/// A record for the reverse zone, which the owner of the address enters there.
#[derive(Serialize)]
struct Reverse<'a> {
    address: IpAddr,
    fqdn: String,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
    host: &'a Domain,
    why: &'static str,
}

/// The whole document: every record of every zone, and the reverse names of the appliance's addresses.
pub(crate) fn document(blueprint: &Blueprint) -> Text {
    let records = blueprint.zones.iter().flat_map(|(name, zone)| {
        let whole = Cause::of(Kind::Zone, name);
        let cause = move |record: &ZoneRecord| whole.at(&[&record.name, &record.kind]);
        zone.records.iter().map(move |record| (describe(name, zone, record), cause(record)))
    });
    let address = Cause::single(Kind::Appliance).at(&["addresses"]);
    let reverse = blueprint.addresses.iter().map(|address| reverse(*address, &blueprint.hostname));
    let mut text = Text::of(&format!("{{\n  \"version\": {VERSION},\n"), None);
    json::list(&mut text, "records", &records.collect::<Vec<_>>(), ",");
    json::list(&mut text, "reverse", &reverse.map(|one| (one, address.clone())).collect::<Vec<_>>(), "");
    text.add("}\n", None);
    text
}

/// The version of the form, raised when programs that read it must change.
const VERSION: u32 = 1;

fn reverse(address: IpAddr, host: &Domain) -> Reverse<'_> {
    Reverse {
        address,
        fqdn: reverse_name(address),
        kind: "PTR",
        value: format!("{host}."),
        host,
        why: "many servers refuse mail from an address whose name is not the sender's; ask whoever gave you the address",
    }
}

fn describe<'a>(name: &'a Domain, zone: &Zone, record: &'a ZoneRecord) -> Record<'a> {
    Record {
        zone: name,
        name: &record.name,
        fqdn: if record.name == "@" { format!("{name}.") } else { format!("{}.{name}.", record.name) },
        kind: &record.kind,
        ttl: zone.ttl,
        value: &record.value,
        data: data(&record.kind, &record.value),
        purpose: record.purpose,
        need: record.purpose.need(),
        why: record.purpose.why(),
    }
}

/// The parts of a value. Values in a blueprint always have the form of their type.
fn data<'a>(kind: &str, value: &'a str) -> Data<'a> {
    let mut words = value.split(' ');
    let mut word = || words.next().unwrap_or_default();
    match kind {
        "A" | "AAAA" => Data::Address { address: value },
        "MX" => Data::Mx { preference: number(word()), exchange: word() },
        "SRV" => Data::Srv { priority: number(word()), weight: number(word()), port: number(word()), target: word() },
        "TLSA" => {
            Data::Tlsa { usage: number(word()), selector: number(word()), matching: number(word()), data: word() }
        }
        "CAA" => {
            let mut parts = value.splitn(3, ' ');
            let (flags, tag) = (number(parts.next().unwrap_or_default()), parts.next().unwrap_or_default());
            Data::Caa { flags, tag, value: parts.next().unwrap_or_default().trim_matches('"') }
        }
        "TXT" => Data::Text { strings: zone::strings(value) },
        _ => Data::Host { host: value },
    }
}

fn number<N: std::str::FromStr + Default>(word: &str) -> N {
    word.parse().unwrap_or_default()
}

/// The reverse name of an address (RFC 1035 §3.5, RFC 3596 §2.5).
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(address) => {
            let digits = format!("{:032x}", u128::from(address));
            digits.chars().rev().flat_map(|digit| [digit, '.']).collect::<String>() + "ip6.arpa."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_in_parts() {
        let check = |kind: &str, value: &str, expected: &str| {
            assert_eq!(serde_json::to_string(&data(kind, value)).unwrap(), expected, "{kind}");
        };
        check("A", "192.0.2.1", r#"{"address":"192.0.2.1"}"#);
        check("MX", "10 mail.example.org.", r#"{"preference":10,"exchange":"mail.example.org."}"#);
        check("SRV", "0 1 993 m.", r#"{"priority":0,"weight":1,"port":993,"target":"m."}"#);
        check("CAA", "0 issue \"ca.example; a=b\"", r#"{"flags":0,"tag":"issue","value":"ca.example; a=b"}"#);
        check("TLSA", "3 1 1 00ff", r#"{"usage":3,"selector":1,"matching":1,"data":"00ff"}"#);
        check("CNAME", "m.", r#"{"host":"m."}"#);
        check("TXT", "v=spf1 -all", r#"{"strings":["v=spf1 -all"]}"#);
        let long = "x".repeat(300);
        let Data::Text { strings } = data("TXT", &long) else { panic!("a text") };
        assert_eq!(strings.iter().map(|string| string.len()).collect::<Vec<_>>(), [255, 45]);
    }

    #[test]
    fn addresses_have_names_of_their_own() {
        let check = |address: &str, expected: &str| assert_eq!(reverse_name(address.parse().unwrap()), expected);
        check("192.0.2.25", "25.2.0.192.in-addr.arpa.");
        check("2001:db8::25", "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
    }
}
