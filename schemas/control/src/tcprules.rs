//! tcprules: the clients that a listener serves, and the environment they get (tcprules(1), tcpserver's match order).
//!
//! `ADDRESS:allow` or `ADDRESS:deny`, then `,VAR="value"`; ranges `1.2.3.37-53:` become one rule each. IPv6 is ours,
//! since tcprules knows none: `[2001:db8::7]:allow` for a client, `[2001:db8:0:]:allow` for the network 2001:db8::/48.

use std::fmt;
use std::net::IpAddr;

use crate::ParseError;
use crate::cdb::{Cdb, Damaged, Writer};

/// One rule, with ranges expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `1.2.3.4`, `1.2.`, `2001:db8:0:`, `=host`, `=.domain`, `=`, `info@1.2.3.4`, or empty for everybody.
    pub address: String,
    /// The decision about clients of this address.
    pub decision: Decision,
}

/// The decision about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The connection is closed without a word.
    Deny,
    /// The client is served, with these variables set.
    Allow(Vec<(String, String)>),
}

impl Decision {
    /// A variable's value; `None` when the client is denied or the rule does not set it.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        match self {
            Self::Deny => None,
            Self::Allow(variables) => variables.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()),
        }
    }
}

/// Parses a rules file and expands its ranges.
///
/// # Errors
/// At the first line that is no rule.
pub fn parse(text: &str) -> Result<Vec<Rule>, ParseError> {
    let mut rules = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let bad = |problem: &str| ParseError::new(number, format!("{line:?} {problem}"));
        let bracketed = line.strip_prefix('[').and_then(|rest| rest.split_once("]:"));
        let (address, instructions) = bracketed.or_else(|| line.split_once(':')).ok_or_else(|| bad("has no colon"))?;
        if address.contains([' ', '\0']) {
            return Err(bad("has a space in its address"));
        }
        let decision = parse_instructions(instructions).ok_or_else(|| bad("has instructions that are none"))?;
        let addresses = expand(address).ok_or_else(|| bad("has a range that is none"))?;
        rules.extend(addresses.into_iter().map(|address| Rule { address, decision: decision.clone() }));
    }
    Ok(rules)
}

fn parse_instructions(text: &str) -> Option<Decision> {
    // After `deny`, tcprules reads variables too and throws them away.
    let (deny, mut rest) = match text.strip_prefix("deny") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("allow")?),
    };
    let mut variables = Vec::new();
    while !rest.is_empty() {
        let (name, quoted) = rest.strip_prefix(',')?.split_once('=')?;
        let quote = quoted.chars().next()?;
        let (value, after) = quoted.get(quote.len_utf8()..)?.split_once(quote)?;
        if name.is_empty() || name.contains([',', '\0']) || value.contains('\0') {
            return None;
        }
        variables.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
    Some(if deny { Decision::Deny } else { Decision::Allow(variables) })
}

/// Expands `1.2.3.37-53` and `10.2-3.` into one address for each number of the range; numbers over 255 are left out.
/// tcprules expands one range and would leave a second as it stands, where it matches no client: here that is a
/// mistake.
fn expand(address: &str) -> Option<Vec<String>> {
    let Some((before, after)) = address.split_once('-').filter(|_| !address.contains(['=', '@'])) else {
        return Some(vec![address.to_owned()]);
    };
    let (prefix, first) = before.rfind('.').map_or(("", before), |dot| before.split_at(dot + 1));
    let (last, suffix) = after.find('.').map_or((after, ""), |dot| after.split_at(dot));
    if suffix.contains('-') {
        return None;
    }
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    Some((first..=last.min(255)).map(|number| format!("{prefix}{number}{suffix}")).collect())
}

/// The rules as text, ranges written out.
#[must_use]
pub fn print(rules: &[Rule]) -> String {
    rules.iter().map(|rule| format!("{rule}\n")).collect()
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.address.contains(':') {
            write!(f, "[{}]", self.address)?
        } else {
            f.write_str(&self.address)?
        }
        match &self.decision {
            Decision::Deny => f.write_str(":deny"),
            Decision::Allow(variables) => {
                f.write_str(":allow")?;
                for (name, value) in variables {
                    let quote = ['"', '\'', '|', '!', '%', '~'].into_iter().find(|quote| !value.contains(*quote));
                    let quote = quote.unwrap_or('\u{1}');
                    write!(f, ",{name}={quote}{value}{quote}")?;
                }
                Ok(())
            }
        }
    }
}

/// The data of the compiled form: `D`, or `+VAR=value` NUL for each variable.
#[must_use]
pub fn compile(rules: &[Rule]) -> Vec<u8> {
    let mut writer = Writer::new();
    for rule in rules {
        let data = match &rule.decision {
            Decision::Deny => b"D".to_vec(),
            Decision::Allow(variables) => {
                variables.iter().flat_map(|(name, value)| format!("+{name}={value}\0").into_bytes()).collect()
            }
        };
        writer.push(rule.address.as_bytes(), &data);
    }
    writer.finish()
}

/// The decision for a client, in tcpserver's order of matches without ident. A client that no rule matches is allowed;
/// a damaged file denies, since tcpserver drops the connection too. tcpserver knows no IPv6: its networks are ours,
/// written as `2001:db8:0:` with all groups, none with leading zeros.
#[must_use]
pub fn lookup(cdb: &[u8], ip: IpAddr, host: Option<&str>) -> Decision {
    find(&Cdb::new(cdb), ip, host).unwrap_or(Decision::Deny)
}

fn find(cdb: &Cdb<'_>, ip: IpAddr, host: Option<&str>) -> Result<Decision, Damaged> {
    for key in keys(ip, host) {
        if let Some(data) = cdb.find(key.as_bytes())? {
            return parse_data(data);
        }
    }
    Ok(Decision::Allow(Vec::new()))
}

fn keys(ip: IpAddr, host: Option<&str>) -> Vec<String> {
    let ip = ip.to_canonical();
    let host = host.map(str::to_ascii_lowercase);
    let mut keys = vec![ip.to_string()];
    keys.extend(host.iter().map(|host| format!("={host}")));
    let (parts, separator) = match ip {
        IpAddr::V4(ip) => (ip.octets().map(|octet| octet.to_string()).to_vec(), "."),
        IpAddr::V6(ip) => (ip.segments().map(|group| format!("{group:x}")).to_vec(), ":"),
    };
    let prefix = |length| parts.iter().take(length).flat_map(|part| [part.as_str(), separator]).collect::<String>();
    keys.extend((1..parts.len()).rev().map(prefix));
    if let Some(host) = &host {
        keys.extend(host.match_indices('.').map(|(dot, _)| format!("={}", host.get(dot..).unwrap_or_default())));
        keys.push("=".to_owned());
    }
    keys.push(String::new());
    keys
}

fn parse_data(data: &[u8]) -> Result<Decision, Damaged> {
    if data.first() == Some(&b'D') {
        return Ok(Decision::Deny);
    }
    let mut variables = Vec::new();
    for part in data.split(|octet| *octet == 0).filter(|part| !part.is_empty()) {
        let part = std::str::from_utf8(part).map_err(|_| Damaged)?;
        let (name, value) = part.strip_prefix('+').and_then(|part| part.split_once('=')).ok_or(Damaged)?;
        variables.push((name.to_owned(), value.to_owned()));
    }
    Ok(Decision::Allow(variables))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &str, ip: &str, host: Option<&str>, expected: &str) {
        let cdb = compile(&parse(rules).unwrap());
        let decision = lookup(&cdb, ip.parse().unwrap(), host);
        let said = Rule { address: String::new(), decision }.to_string();
        assert_eq!(said, expected, "{rules:?} {ip} {host:?}");
    }

    #[test]
    fn the_most_special_rule_wins_whatever_the_order() {
        let rules = ":deny\n1.2.3.:allow\n1.2.3.4:deny\n";
        check(rules, "1.2.3.4", None, ":deny");
        check(rules, "1.2.3.9", None, ":allow");
        check(rules, "9.9.9.9", None, ":deny");
        check(rules, "::ffff:1.2.3.9", None, ":allow");
        check("", "9.9.9.9", None, ":allow");
    }

    #[test]
    fn networks_of_ipv6_are_groups() {
        let rules = "[2001:db8:0:]:allow,A=\"net\"\n[2001:db8::1]:allow,A=\"one\"\n[2001:]:deny\n";
        check(rules, "2001:db8:0:1::9", None, ":allow,A=\"net\"");
        check(rules, "2001:db8::1", None, ":allow,A=\"one\"");
        check(rules, "2001:db8:1::1", None, ":deny");
        check(rules, "2002::1", None, ":allow");
        assert_eq!(print(&parse(rules).unwrap()), rules);
    }

    #[test]
    fn hosts_come_after_addresses_and_before_networks() {
        let rules =
            "1.:allow,A=\"net\"\n=.b.example:allow,A=\"below\"\n=a.b.example:allow,A=\"host\"\n=:allow,A=\"any\"\n";
        check(rules, "1.2.3.4", Some("A.b.example"), ":allow,A=\"host\"");
        check(rules, "1.2.3.4", Some("x.b.example"), ":allow,A=\"net\"");
        check(rules, "2.2.3.4", Some("x.b.example"), ":allow,A=\"below\"");
        check(rules, "2.2.3.4", Some("else.example"), ":allow,A=\"any\"");
        check(rules, "2.2.3.4", None, ":allow");
    }

    #[test]
    fn variables_keep_their_values_and_ranges_expand() {
        check("127.:allow,RELAYCLIENT=\"\",X='a\"b'\n", "127.0.0.1", None, ":allow,RELAYCLIENT=\"\",X='a\"b'");
        check("1.2.3.37-39:deny\n", "1.2.3.38", None, ":deny");
        check("10.2-3.:deny\n", "10.3.9.9", None, ":deny");
        check("10.2-3.:deny\n", "10.4.9.9", None, ":allow");
        assert_eq!(parse("1.2.3.37-53:allow\n").unwrap().len(), 17);
        assert_eq!(parse("1.0-4000000000.:allow\n").unwrap().len(), 256);
    }

    #[test]
    fn what_is_printed_is_parsed_again() {
        let rules = parse("# c\n\n1-2.:allow,A=\"x\",B=\"\"\n:deny\n=h-1.example:allow\n").unwrap();
        assert_eq!(parse(&print(&rules)).unwrap(), rules);
    }

    #[test]
    fn what_is_no_rule_is_refused_with_its_line() {
        for bad in ["allow", ":perhaps", ":allow,X", ":allow,X=\"a", ":allow,=\"a\"", "1-x.:deny", "1 2:deny"] {
            assert_eq!(parse(&format!("\n{bad}\n")).map_err(|error| error.line), Err(2), "{bad:?}");
        }
    }

    #[test]
    fn a_damaged_file_denies() {
        check("", "1.2.3.4", None, ":allow");
        assert_eq!(lookup(b"short", "1.2.3.4".parse().unwrap(), None), Decision::Deny);
    }
}
