//! SPF records can be read, need few look-ups, let the appliance send, and do not let everybody send (RFC 7208).

use std::net::IpAddr;

use postkiln_address::Domain;
use postkiln_findings::{codes, suggest};

use crate::findings::Findings;
use crate::zones::{Draft, Entry, Zones};

pub(super) fn check(zone: &Domain, draft: &Draft<'_>, zones: &Zones<'_>, findings: &mut Findings) {
    for entry in draft.entries.iter().filter(|entry| is_spf(entry) && !draft.repeats(zone, entry)) {
        let name = &entry.record.name;
        let message = |rest: &str| format!("the SPF record of {name} in {zone} {rest}");
        if draft.at(name, "TXT").filter(|other| is_spf(other)).count() > 1 {
            let message = format!("{name} in {zone} has more than one SPF record");
            findings.add(codes::RECORD, entry.place, message).hint("join them into one");
        }
        let terms = match parse(&entry.record.value) {
            Ok(terms) => terms,
            Err((problem, hint)) => {
                findings.add(codes::SPF_TERMS, entry.place, message(&problem)).hint = hint;
                continue;
            }
        };
        for (code, problem, hint) in dangers(&terms) {
            findings.add(code, entry.place, message(problem)).hint(hint);
        }
        let full = if name == "@" { zone.to_string() } else { format!("{name}.{zone}") };
        look_ups(&full, entry, &message, zones, findings);
        if name == "@" && draft.mail.is_some() {
            lets_us_send(&full, entry, &message, zones, findings);
        }
    }
}

pub(super) fn is_spf(entry: &Entry<'_>) -> bool {
    let value = entry.record.value.to_ascii_lowercase();
    entry.record.kind == "TXT" && (value == "v=spf1" || value.starts_with("v=spf1 "))
}

/// A term of a record.
#[derive(Debug, PartialEq, Eq)]
struct Term<'a> {
    /// The qualifier `+`, `-`, `~` or `?`; `=` for a modifier.
    qualifier: char,
    /// The name in lower case: `include`, `a`, `redirect`.
    name: String,
    /// The text after `:` or `=`, with prefix lengths; empty when there is none.
    value: &'a str,
}

impl Term<'_> {
    /// The value without prefix lengths.
    fn domain(&self) -> &str {
        self.value.split('/').next().unwrap_or_default()
    }

    /// Whether the term asks the DNS (RFC 7208 §4.6.4).
    fn asks(&self) -> bool {
        matches!(self.name.as_str(), "include" | "a" | "mx" | "ptr" | "exists" | "redirect")
    }
}

type Problem = (String, Option<String>);

fn parse(text: &str) -> Result<Vec<Term<'_>>, Problem> {
    let terms: Vec<Term<'_>> = text.split_ascii_whitespace().skip(1).map(term).collect::<Result<_, _>>()?;
    let all = terms.iter().position(|term| term.name == "all");
    let after = all
        .and_then(|at| terms.get(at + 1..))
        .and_then(|rest| rest.iter().find(|term| term.qualifier != '=' || term.name == "redirect"));
    if let Some(term) = after {
        let problem = format!("has {:?} after \"all\", where nobody reads it", term.name);
        return Err((problem, Some("put \"all\" last".to_owned())));
    }
    Ok(terms)
}

fn term(text: &str) -> Result<Term<'_>, Problem> {
    let wrong = |hint: &str| Err((format!("has the term {text:?}, which cannot be"), Some(hint.to_owned())));
    let name_end = text.find([':', '=', '/']).unwrap_or(text.len());
    if text.get(name_end..).is_some_and(|rest| rest.starts_with('=')) {
        let (name, value) = text.split_at(name_end);
        let value = value.get(1..).unwrap_or_default();
        let term = Term { qualifier: '=', name: name.to_ascii_lowercase(), value };
        return if value.is_empty() { wrong("a modifier has a value") } else { Ok(term) };
    }
    let qualifier = text.chars().next().filter(|c| "+-~?".contains(*c));
    let bare = text.trim_start_matches(['+', '-', '~', '?']);
    let name_end = bare.find([':', '/']).unwrap_or(bare.len());
    let (name, rest) = bare.split_at(name_end);
    let name = name.to_ascii_lowercase();
    let value = rest.strip_prefix(':').unwrap_or(rest);
    let is_right = match name.as_str() {
        "all" => rest.is_empty(),
        "include" | "exists" => rest.len() > 1,
        "a" | "mx" | "ptr" => rest != ":",
        "ip4" | "ip6" => block(value).is_some_and(|(address, _)| address.is_ipv4() == (name == "ip4")),
        _ => {
            let near = suggest::nearest(&name, MECHANISMS).map(|near| format!("did you mean {near:?}?"));
            return Err((format!("has the term {text:?}, which SPF does not know"), near));
        }
    };
    if !is_right {
        return wrong(match name.as_str() {
            "ip4" => "write \"ip4:192.0.2.7\" or \"ip4:192.0.2.0/24\"",
            "ip6" => "write \"ip6:2001:db8::7\" or \"ip6:2001:db8::/64\"",
            "all" => "\"all\" stands alone",
            _ => "a domain stands after the colon",
        });
    }
    Ok(Term { qualifier: qualifier.unwrap_or('+'), name, value })
}

const MECHANISMS: [&str; 10] = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists", "redirect", "exp"];

/// Parses `192.0.2.0/24` into the address and the number of bits that count.
fn block(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(whole), |prefix| prefix.parse().ok())?;
    (prefix <= whole).then_some((address, prefix))
}

/// Terms that a record should not have.
fn dangers(terms: &[Term<'_>]) -> Vec<(postkiln_findings::Code, &'static str, &'static str)> {
    let mut found = Vec::new();
    if terms.iter().any(|term| term.name == "all" && term.qualifier == '+') {
        let hint = "end with \"-all\", or \"~all\" while you are not sure";
        found.push((codes::SPF_EVERYBODY, "lets everybody send (\"+all\")", hint));
    }
    if terms.iter().any(|term| term.name == "ptr") {
        let hint = "RFC 7208 §5.5 wants it no more: it is slow, and many receivers skip it; name addresses or hosts";
        found.push((codes::SPF_PTR, "uses \"ptr\"", hint));
    }
    found
}

/// Reports more than ten terms that ask the DNS, those of included records among them (RFC 7208 §4.6.4).
fn look_ups(
    full: &str,
    entry: &Entry<'_>,
    message: &dyn Fn(&str) -> String,
    zones: &Zones<'_>,
    findings: &mut Findings,
) {
    let mut count = Count::default();
    count.record(full, &entry.record.value, zones);
    if let Some(circle) = count.circle {
        let hint = "take the include out there or here";
        findings.add(codes::SPF_TERMS, entry.place, message(&format!("includes itself through {circle}"))).hint(hint);
    }
    for absent in count.absent {
        let problem = format!("includes {absent}, which has no SPF record in the zone it lies in");
        findings
            .add(codes::SPF_TERMS, entry.place, message(&problem))
            .hint("receivers treat the whole record as broken");
    }
    let elsewhere = count.elsewhere.join(", ");
    if count.asked > LIMIT {
        findings
            .add(codes::SPF, entry.place, message(&format!("needs {} look-ups", count.asked)))
            .hint("receivers stop after ten and treat it as broken; use ip4 and ip6 instead of include");
    } else if count.asked + 2 >= LIMIT && !elsewhere.is_empty() {
        let problem = format!("needs {} look-ups, and those of {elsewhere} are not counted", count.asked);
        findings
            .add(codes::SPF_UNCOUNTED, entry.place, message(&problem))
            .hint("receivers stop after ten; look at the records of the included domains");
    }
}

const LIMIT: usize = 10;

#[derive(Default)]
struct Count {
    asked: usize,
    /// Names from the first record to this one.
    way: Vec<String>,
    circle: Option<String>,
    absent: Vec<String>,
    elsewhere: Vec<String>,
}

impl Count {
    fn record(&mut self, full: &str, text: &str, zones: &Zones<'_>) {
        self.way.push(full.to_owned());
        // A record that cannot be read is reported where it stands.
        for term in parse(text).unwrap_or_default().iter().filter(|term| term.asks()) {
            self.asked += 1;
            if matches!(term.name.as_str(), "include" | "redirect") {
                self.follow(&term.domain().trim_end_matches('.').to_ascii_lowercase(), zones);
            }
        }
        self.way.pop();
    }

    fn follow(&mut self, domain: &str, zones: &Zones<'_>) {
        if self.way.iter().any(|name| name == domain) {
            self.circle = self.way.last().cloned();
            return;
        }
        let Some(found) = zones.look_up(domain, "TXT").filter(|_| !domain.contains('%')) else {
            self.elsewhere.push(domain.to_owned());
            return;
        };
        match found.iter().find(|entry| is_spf(entry)) {
            // This recursion ends: the list of names grows by a name of ours each time, and by none twice.
            Some(entry) => self.record(domain, &entry.record.value, zones),
            None => self.absent.push(domain.to_owned()),
        }
    }
}

/// Reports a record that does not let the appliance send, as far as our zones tell.
fn lets_us_send(
    full: &str,
    entry: &Entry<'_>,
    message: &dyn Fn(&str) -> String,
    zones: &Zones<'_>,
    findings: &mut Findings,
) {
    for address in &zones.addresses {
        if passes(full, &entry.record.value, *address, zones, 0) == Some(false) {
            let problem = format!("does not let the appliance send: {address} is not in it");
            let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
            findings
                .add(codes::SPF_WITHOUT_US, entry.place, message(&problem))
                .hint(format!("add \"{kind}:{address}\""));
        }
    }
}

/// Whether mail from an address passes. `None` when that depends on other people's records.
pub(super) fn passes(full: &str, text: &str, address: IpAddr, zones: &Zones<'_>, depth: usize) -> Option<bool> {
    let terms = parse(text).ok()?;
    let mut is_known = depth <= LIMIT;
    for term in terms.iter().filter(|_| depth <= LIMIT) {
        let name = if term.domain().is_empty() { full } else { term.domain().trim_end_matches('.') };
        let matched = match term.name.as_str() {
            "all" => Some(true),
            "ip4" | "ip6" => block(term.value).map(|(network, prefix)| contains(network, prefix, address)),
            "a" => is_at(name, address, zones),
            "mx" => zones
                .look_up(name, "MX")
                .and_then(|found| any(found.iter().map(|mx| is_at(mx.target(), address, zones)))),
            "include" | "redirect" => {
                let found = zones.look_up(name, "TXT");
                let record = found.as_ref().and_then(|found| found.iter().find(|entry| is_spf(entry)));
                record.and_then(|record| passes(name, &record.record.value, address, zones, depth + 1))
            }
            "exp" => Some(false),
            _ => None,
        };
        // Terms for the networks around hosts are not evaluated.
        let is_wide = matches!(term.name.as_str(), "a" | "mx") && term.value.contains('/');
        match matched.filter(|matched| *matched || !is_wide) {
            Some(true) => return if is_known { Some(matches!(term.qualifier, '+' | '=')) } else { None },
            Some(false) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(false)
}

/// Whether mail from a host outside our zones passes. `None` when a term of the record may cover it.
pub(super) fn names(text: &str, host: &Domain, zones: &Zones<'_>) -> Option<bool> {
    let terms = parse(text).ok()?;
    let is_it = |term: &Term<'_>| term.name == "a" && term.domain().trim_end_matches('.') == host.as_str();
    let may_be = |term: &Term<'_>| match term.name.as_str() {
        // A term `-all` or `~all` does not let the host send.
        "all" => matches!(term.qualifier, '+' | '?'),
        "ip4" | "ip6" => {
            let is_ours = |(network, prefix)| zones.addresses.iter().any(|own| contains(network, prefix, *own));
            !block(term.value).is_some_and(is_ours)
        }
        "a" | "mx" => !term.value.is_empty(),
        "exp" => false,
        _ => true,
    };
    if terms.iter().any(is_it) { Some(true) } else { (!terms.iter().any(may_be)).then_some(false) }
}

/// Whether one term holds, when all others do not; `None` when that cannot be told.
fn any(mut each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    each.try_fold(false, |found, one| one.map(|one| found || one))
}

fn is_at(name: &str, address: IpAddr, zones: &Zones<'_>) -> Option<bool> {
    let kind = if address.is_ipv4() { "A" } else { "AAAA" };
    let found = zones.look_up(name, kind)?;
    Some(found.iter().any(|entry| entry.record.value.parse() == Ok(address)))
}

fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            u32::from(network) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            u128::from(network) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<usize, &str>) {
        let got = parse(text).map(|terms| terms.len()).map_err(|(problem, _)| problem);
        assert_eq!(got.as_ref().map_err(String::as_str), expected.as_ref().map_err(|text| *text), "{text}");
    }

    #[test]
    fn terms_are_read_as_receivers_do() {
        check("v=spf1", Ok(0));
        check("v=spf1 a mx/24 a:mail.example.org/28//64 ip4:192.0.2.0/24 -all", Ok(5));
        check("V=spf1 IP6:2001:DB8::/32 include:_spf.example.net exists:%{i}.example ~all exp=why.example", Ok(5));
        check("v=spf1 redirect=_spf.example.net", Ok(1));
        check("v=spf1 ip4:192.0.2.300", Err("has the term \"ip4:192.0.2.300\", which cannot be"));
        check("v=spf1 ip4:2001:db8::1", Err("has the term \"ip4:2001:db8::1\", which cannot be"));
        check("v=spf1 ip4:192.0.2.0/33", Err("has the term \"ip4:192.0.2.0/33\", which cannot be"));
        check("v=spf1 include: -all", Err("has the term \"include:\", which cannot be"));
        check("v=spf1 192.0.2.1 -all", Err("has the term \"192.0.2.1\", which SPF does not know"));
        check("v=spf1 -all mx", Err("has \"mx\" after \"all\", where nobody reads it"));
        check("v=spf1 -all:x", Err("has the term \"-all:x\", which cannot be"));
    }
}
