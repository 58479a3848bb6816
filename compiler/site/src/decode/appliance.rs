//! `appliance`: host name, network, operators.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::answer::Value;
use crate::decode::meant::Name;
use crate::decode::quantity;
use crate::decode::walker::{At, Walker};
use crate::{Appliance, Ipv6, Network, Placed, Resolver, TimeServer, codes};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Appliance> {
    let fields = walker.fields(at, "the appliance", FIELDS)?;
    let hostname = fields.required("hostname").and_then(|at| hostname(walker, &at));
    let network = fields.optional("network", |at| network(walker, at));
    let asked = fields.optional("resolvers", |at| resolvers(walker, at));
    let ipv6 = fields.optional("ipv6", |at| ipv6(walker, at));
    let time_servers = fields.optional("time", |at| {
        let fields = walker.fields(at, "time", &["servers"])?;
        fields.optional("servers", |at| time_servers(walker, at)).map(Option::unwrap_or_default)
    });
    let memory = fields.optional("memory", |at| quantity::octets(walker, at));
    let operators = fields.optional("operators", |at| operators(walker, at));
    let (network, mut servers) =
        network?.unwrap_or_else(|| (Placed { value: Network::Dhcp, place: at.place.clone() }, Vec::new()));
    if let Some(asked) = asked? {
        if !servers.is_empty() {
            let place = fields.get("resolvers").map_or_else(|| at.place.clone(), |at| at.place);
            walker.report(codes::TWICE, "resolvers are given twice", &place, Some("keep those in `network`"));
            return None;
        }
        servers = asked;
    }
    Some(Appliance {
        hostname: hostname?,
        network,
        resolvers: servers,
        ipv6: ipv6?,
        time_servers: time_servers?.unwrap_or_default(),
        memory: memory?,
        operators: operators?.unwrap_or_default(),
    })
}

const FIELDS: &[&str] = &["hostname", "network", "ipv6", "resolvers", "time", "memory", "operators"];

/// A fully qualified name: other servers refuse a greeting without a dot.
fn hostname(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<postkiln_address::Domain>> {
    let name = walker.domain(at)?;
    if name.value.as_str().contains('.') {
        return Some(name);
    }
    let hint = "write the full name, as `mail.example.org`";
    walker.report(
        codes::VALUE,
        format!("the host name {:?} has no domain", name.value.as_str()),
        &at.place,
        Some(hint),
    );
    None
}

fn network(walker: &Walker<'_>, at: &At<'_>) -> Option<(Placed<Network>, Vec<Placed<Resolver>>)> {
    if matches!(at.node.value, Value::Tag(..) | Value::Text(_)) {
        return walker.tag(at, &[("dhcp", ())]).map(|_| (at.placed(Network::Dhcp), Vec::new()));
    }
    let fields = walker.fields(at, "a network", &["address", "gateway", "resolvers"])?;
    let address = fields.required("address").and_then(|at| {
        let hint = Some("write address and prefix length, as `192.0.2.10/24`");
        walker.parsed(&at, "an IPv4 address with its prefix length", hint, interface)
    });
    let gateway = fields.optional("gateway", |at| walker.parsed(at, "an IPv4 address", None, str::parse::<Ipv4Addr>));
    let servers = fields.optional("resolvers", |at| resolvers(walker, at));
    let (address, prefix) = address?.value;
    let gateway = gateway?;
    if let Some(outside) = gateway.as_ref().filter(|gateway| !same_network(address, gateway.value, prefix)) {
        let message = format!("the gateway {} is not in the network {address}/{prefix}", outside.value);
        walker.report(codes::VALUE, message, &outside.place, None);
        return None;
    }
    let network = Network::Static { address, prefix, gateway: gateway.map(|gateway| gateway.value) };
    Some((at.placed(network), servers?.unwrap_or_default()))
}

fn ipv6(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Ipv6>> {
    if matches!(at.node.value, Value::Tag(..) | Value::Text(_)) {
        let auto = walker.tag(at, &[("none", false), ("auto", true)])?;
        return Some(at.placed(if auto.value { Ipv6::Auto } else { Ipv6::None }));
    }
    let fields = walker.fields(at, "an IPv6 network", &["address", "gateway"])?;
    let address = fields.required("address").and_then(|at| {
        let hint = Some("write address and prefix length, as `2001:db8::25/64`");
        walker.parsed(&at, "an IPv6 address with its prefix length", hint, interface6)
    });
    let gateway = fields.optional("gateway", |at| walker.parsed(at, "an IPv6 address", None, str::parse::<Ipv6Addr>));
    let (address, prefix) = address?.value;
    let gateway = gateway?;
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    let reached = |gateway: Ipv6Addr| {
        // Routers answer on their link-local addresses too (RFC 4861 §6.1.2).
        gateway.is_unicast_link_local() || gateway.to_bits() & mask == address.to_bits() & mask
    };
    if let Some(outside) = gateway.as_ref().filter(|gateway| !reached(gateway.value)) {
        let message = format!("the gateway {} is not in the network {address}/{prefix}", outside.value);
        walker.report(codes::VALUE, message, &outside.place, None);
        return None;
    }
    Some(at.placed(Ipv6::Static { address, prefix, gateway: gateway.map(|gateway| gateway.value) }))
}

fn time_servers(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<TimeServer>>> {
    let items = walker.list(at, "names or addresses of time servers")?;
    let found: Vec<_> =
        items.iter().map(|item| walker.parsed(item, Name("a time server"), None, time_server)).collect();
    found.into_iter().collect()
}

fn resolvers(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<Resolver>>> {
    let items = walker.list(at, "addresses of DNS servers")?;
    let hint = Some("write an address, or address and port as `192.0.2.53:5353` or `[2001:db8::53]:5353`");
    let found: Vec<_> =
        items.iter().map(|item| walker.parsed(item, "the address of a DNS server", hint, resolver)).collect();
    found.into_iter().collect()
}

fn operators(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<String>>> {
    let items = walker.list(at, "public keys")?;
    let hint = Some("copy the line of an OpenSSH `.pub` file");
    let found: Vec<_> =
        items.iter().map(|item| walker.parsed(item, "an OpenSSH public key", hint, public_key)).collect();
    found.into_iter().collect()
}

/// Parses an address with its prefix length: `192.0.2.10/24`.
fn interface(text: &str) -> Result<(Ipv4Addr, u8), String> {
    let (address, prefix) = text.split_once('/').ok_or_else(|| format!("{text:?} has no prefix length"))?;
    let address = address.parse::<Ipv4Addr>().map_err(|_| format!("{address:?} is no IPv4 address"))?;
    let prefix = prefix.parse::<u8>().ok().filter(|prefix| (1..=32).contains(prefix));
    prefix.map(|prefix| (address, prefix)).ok_or_else(|| format!("{text:?} has no prefix length of 1 to 32"))
}

/// Parses an address with its prefix length: `2001:db8::25/64`.
fn interface6(text: &str) -> Result<(Ipv6Addr, u8), String> {
    let (address, prefix) = text.split_once('/').ok_or_else(|| format!("{text:?} has no prefix length"))?;
    let address = address.parse::<Ipv6Addr>().map_err(|_| format!("{address:?} is no IPv6 address"))?;
    let prefix = prefix.parse::<u8>().ok().filter(|prefix| (1..=128).contains(prefix));
    prefix.map(|prefix| (address, prefix)).ok_or_else(|| format!("{text:?} has no prefix length of 1 to 128"))
}

fn time_server(text: &str) -> Result<TimeServer, postkiln_address::AddressError> {
    text.parse::<IpAddr>()
        .map_or_else(|_| text.parse().map(TimeServer::Name), |address| Ok(TimeServer::Address(address)))
}

/// Parses an address with or without a port: `192.0.2.53`, `192.0.2.53:5353`.
fn resolver(text: &str) -> Result<Resolver, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Resolver { address, port: 53 });
    }
    let socket = text.parse::<std::net::SocketAddr>().map_err(|_| format!("{text:?} is no IP address"))?;
    Ok(Resolver { address: socket.ip(), port: socket.port() })
}

/// Type, base64, and perhaps a comment, on one line (RFC 4253 §6.6 within OpenSSH's `authorized_keys`).
fn public_key(text: &str) -> Result<String, String> {
    let mut words = text.split(' ');
    let kind = words.next().unwrap_or_default();
    let body = words.next().unwrap_or_default();
    let known = ["ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ssh-rsa"].contains(&kind);
    if !known {
        return Err(format!("{kind:?} is no type of key"));
    }
    if body.is_empty() || !body.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)) {
        return Err("the key itself is not base64".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("it is more than one line".to_owned());
    }
    Ok(text.to_owned())
}

fn same_network(one: Ipv4Addr, other: Ipv4Addr, prefix: u8) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    u32::from(one) & mask == u32::from(other) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_have_a_prefix() {
        let check = |text, expected: Option<(&str, u8)>| {
            let expected = expected.map(|(address, prefix)| (address.parse().unwrap(), prefix));
            assert_eq!(interface(text).ok(), expected, "{text}");
        };
        check("192.0.2.10/24", Some(("192.0.2.10", 24)));
        check("192.0.2.10/32", Some(("192.0.2.10", 32)));
        for bad in ["192.0.2.10", "192.0.2.10/0", "192.0.2.10/33", "192.0.2/24", "::1/64"] {
            check(bad, None);
        }
    }

    #[test]
    fn resolvers_may_have_a_port() {
        let check = |text, expected: Option<(&str, u16)>| {
            let expected = expected.map(|(address, port)| Resolver { address: address.parse().unwrap(), port });
            assert_eq!(resolver(text).ok(), expected, "{text}");
        };
        check("192.0.2.53", Some(("192.0.2.53", 53)));
        check("127.0.0.1:5353", Some(("127.0.0.1", 5353)));
        check("2001:db8::53", Some(("2001:db8::53", 53)));
        check("[2001:db8::53]:54", Some(("2001:db8::53", 54)));
        check("dns.example.org", None);
    }

    #[test]
    fn operators_are_public_keys() {
        let check = |text: &str, good: bool| assert_eq!(public_key(text).is_ok(), good, "{text}");
        check("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI ops@example.org", true);
        check("ssh-ed25519", false);
        check("-----BEGIN OPENSSH PRIVATE KEY-----", false);
        check("ssh-ed25519 AAAA\nssh-ed25519 BBBB", false);
        check("ssh-ed25519 AAAAC3\u{2026} ops@example.org", false);
    }
}
