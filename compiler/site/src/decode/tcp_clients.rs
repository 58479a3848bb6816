//! The clients a rule of tcprules is about: from the form a person writes to the keys that tcpserver looks up.
//! `192.0.2.0/24` becomes `192.0.2.`; a network that ends within a number becomes one key for each value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use postkiln_address::Domain;

use crate::Clients;

/// Parses `192.0.2.0/24`, `192.0.2.7`, `2001:db8::/48`, `10.1.`, `10.1.2-5.`, `=host.example`, `=.example`, `=`.
///
/// # Errors
/// With what is wrong, as a sentence.
pub(super) fn parse(text: &str) -> Result<Clients, String> {
    let keys = if let Some(host) = text.strip_prefix('=') {
        let name = host.strip_prefix('.').unwrap_or(host);
        if !name.is_empty() {
            name.parse::<Domain>().map_err(|error| error.to_string())?;
        }
        vec![text.to_ascii_lowercase()]
    } else if let Some((address, prefix)) = text.split_once('/') {
        network(text, address, prefix)?
    } else if let Ok(address) = text.parse::<IpAddr>() {
        vec![address.to_canonical().to_string()]
    } else {
        prefix_with_ranges(text)?
    };
    Ok(Clients { written: text.to_owned(), keys })
}

/// A network in CIDR form: the whole number of parts it covers, and one key for each value of a part it cuts.
fn network(text: &str, address: &str, prefix: &str) -> Result<Vec<String>, String> {
    let prefix = prefix.parse::<u8>().map_err(|_| format!("{text:?} has no prefix length after the slash"))?;
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if prefix <= 32 => v4(address, prefix),
        Ok(IpAddr::V6(address)) if prefix <= 128 => v6(address, prefix),
        Ok(_) => Err(format!("{prefix} is no prefix length for {address}")),
        Err(_) => Err(format!("{address:?} is no address")),
    }
}

fn v4(address: Ipv4Addr, prefix: u8) -> Result<Vec<String>, String> {
    let bits = u32::from(address);
    if bits & !u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0) != 0 {
        let network = Ipv4Addr::from(bits & u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0));
        return Err(format!("{address}/{prefix} has bits of a host; the network is {network}/{prefix}"));
    }
    let parts: Vec<u32> = address.octets().map(u32::from).to_vec();
    Ok(keys(&parts, prefix, 8, '.', |number| number.to_string()))
}

/// Keys of IPv6 networks are ours, since tcpserver knows IPv4 alone: groups without leading zeros, none left out, each
/// followed by a colon.
fn v6(address: Ipv6Addr, prefix: u8) -> Result<Vec<String>, String> {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    let network = Ipv6Addr::from(address.to_bits() & mask);
    if network != address {
        return Err(format!("{address}/{prefix} has bits of a host; the network is {network}/{prefix}"));
    }
    if (1..8).contains(&(prefix % 16)) {
        return Err(format!(
            "{address}/{prefix} is too many rules: write /{}, or several of /{}",
            prefix / 16 * 16,
            prefix.div_ceil(16) * 16
        ));
    }
    if prefix > 112 {
        // Single clients are looked for in their short form.
        let count = 1_u128 << (128 - prefix);
        return Ok((0..count).map(|one| Ipv6Addr::from(network.to_bits() | one).to_string()).collect());
    }
    let parts: Vec<u32> = address.segments().map(u32::from).to_vec();
    Ok(keys(&parts, prefix, 16, ':', |number| format!("{number:x}")))
}

fn keys(parts: &[u32], prefix: u8, width: u8, separator: char, print: impl Fn(u32) -> String) -> Vec<String> {
    let whole = usize::from(prefix / width);
    let mut stem: String = parts.iter().take(whole).flat_map(|part| [print(*part), separator.to_string()]).collect();
    if whole == parts.len() {
        // A single address has no separator at its end.
        stem.pop();
        return vec![stem];
    }
    let cut = prefix % width;
    if cut == 0 {
        return vec![stem];
    }
    let first = parts.get(whole).copied().unwrap_or_default();
    let end = if whole + 1 == parts.len() { String::new() } else { separator.to_string() };
    (first..first + (1 << (width - cut))).map(|number| format!("{stem}{}{end}", print(number))).collect()
}

/// Prefixes with ranges, in tcprules' own form: `10.1.2-5.`.
fn prefix_with_ranges(text: &str) -> Result<Vec<String>, String> {
    let shape = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    let parts: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    let whole = parts.len() == 4;
    if !shape || parts.len() > 4 || text.ends_with('.') == whole {
        return Err(format!("{text:?} is no address, network or host name"));
    }
    let octet = |part: &str| part.parse::<u8>().ok();
    let good = parts.iter().all(|part| match part.split_once('-') {
        None => octet(part).is_some(),
        Some((first, last)) => octet(first).zip(octet(last)).is_some_and(|(first, last)| first <= last),
    });
    if !good || parts.iter().filter(|part| part.contains('-')).count() > 1 {
        return Err(format!("{text:?} has a part that is no number or range from 0 to 255, or two ranges"));
    }
    let rules = postkiln_control::tcprules::parse(&format!("{text}:allow\n")).map_err(|error| error.problem)?;
    Ok(rules.into_iter().map(|rule| rule.address).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[&str], &str>) {
        let parsed = parse(text).map(|clients| clients.keys);
        let parsed = parsed.as_ref().map(|keys| keys.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(parsed.as_deref().map_err(|error| error.as_str()), expected, "{text}");
    }

    #[test]
    fn networks_become_the_keys_tcpserver_looks_for() {
        check("192.0.2.0/24", Ok(&["192.0.2."]));
        check("10.0.0.0/8", Ok(&["10."]));
        check("0.0.0.0/0", Ok(&[""]));
        check("192.0.2.7", Ok(&["192.0.2.7"]));
        check("192.0.2.7/32", Ok(&["192.0.2.7"]));
        check("192.0.2.4/30", Ok(&["192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7"]));
        check("10.4.0.0/15", Ok(&["10.4.", "10.5."]));
        check("10.1.", Ok(&["10.1."]));
        check("10.1.2-3.", Ok(&["10.1.2.", "10.1.3."]));
        check("2001:db8::/32", Ok(&["2001:db8:"]));
        check("2001:db8::/48", Ok(&["2001:db8:0:"]));
        check("2001:db8:0:10::/63", Ok(&["2001:db8:0:10:", "2001:db8:0:11:"]));
        check("2001:db8::2/127", Ok(&["2001:db8::2", "2001:db8::3"]));
        check("2001:db8::1", Ok(&["2001:db8::1"]));
        check("::/0", Ok(&[""]));
        check("=Host.example", Ok(&["=host.example"]));
        check("=.example.org", Ok(&["=.example.org"]));
    }

    #[test]
    fn what_is_none_is_named() {
        check("192.0.2.7/24", Err("192.0.2.7/24 has bits of a host; the network is 192.0.2.0/24"));
        check("192.0.2.0/33", Err("33 is no prefix length for 192.0.2.0"));
        check("192.0.2.0/x", Err("\"192.0.2.0/x\" has no prefix length after the slash"));
        check("2001:db8::/34", Err("2001:db8::/34 is too many rules: write /32, or several of /48"));
        check("10.1", Err("\"10.1\" is no address, network or host name"));
        check("office", Err("\"office\" is no address, network or host name"));
        check("10.300.", Err("\"10.300.\" has a part that is no number or range from 0 to 255, or two ranges"));
        check("1.2.3.4.", Err("\"1.2.3.4.\" is no address, network or host name"));
    }
}
