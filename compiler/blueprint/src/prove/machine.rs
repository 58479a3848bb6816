//! The machine: its addresses are possible, its memory holds its services, and no confidential data crosses the network
//! in clear.

use std::net::{IpAddr, Ipv4Addr};

use postkiln_findings::codes;
use postkiln_site::{Database, DatabaseHost, DatabaseServer, Network, Site, TimeServer};

use crate::findings::Findings;
use crate::memory::{Load, SURPLUS};
use crate::model::Blueprint;

/// Every proof about the machine.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    if let Network::Static { address, prefix, gateway } = site.appliance.network.value {
        addresses(site, address, prefix, gateway, findings);
    }
    memory(site, blueprint, findings);
    in_clear(site, findings);
}

fn addresses(site: &Site, address: Ipv4Addr, prefix: u8, gateway: Option<Ipv4Addr>, findings: &mut Findings) {
    let appliance = &site.appliance;
    let hint = "look it up where the network is administered";
    let mut wrong = |place, message: String| {
        findings.add(codes::OWN_NETWORK, place, message).hint(hint);
    };
    for (address, what) in [(Some(address), "the machine"), (gateway, "the gateway")] {
        let Some(address) = address else { continue };
        if let Some(which) = edge(address, prefix) {
            let message = format!("{address} cannot be {what}: it is the {which} address of the network");
            wrong(&appliance.network.place, message);
        }
    }
    if gateway == Some(address) {
        wrong(&appliance.network.place, format!("the gateway is the machine itself ({address})"));
    }
    for resolver in &appliance.resolvers {
        let is_own = resolver.value.address == IpAddr::V4(address);
        if is_own || (resolver.value.address.is_loopback() && resolver.value.port == 53) {
            let message = format!("the DNS server {} is the machine itself, which runs none", resolver.value.address);
            wrong(&resolver.place, message);
        }
    }
    for server in &appliance.time_servers {
        let is_own = match &server.value {
            TimeServer::Name(name) => *name == appliance.hostname.value,
            TimeServer::Address(server) => *server == IpAddr::V4(address) || server.is_loopback(),
        };
        if is_own {
            wrong(&server.place, "the time server is the machine itself, which runs none".to_owned());
        }
    }
}

/// The addresses of a network that belong to no machine (RFC 919; a /31 has none, RFC 3021).
fn edge(address: Ipv4Addr, prefix: u8) -> Option<&'static str> {
    let host = u32::MAX.checked_shr(u32::from(prefix)).filter(|host| *host > 1)?;
    match u32::from(address) & host {
        0 => Some("first"),
        last if last == host => Some("last"),
        _ => None,
    }
}

fn memory(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let parts = Load::of(&blueprint.control, &blueprint.antivirus).parts();
    let needed: u64 = parts.iter().map(|(_, mebibytes)| mebibytes).sum();
    let usual = if blueprint.antivirus.clamav { 2 << 30 } else { 1 << 30 };
    let has = site.appliance.memory.as_ref().map_or(usual, |memory| memory.value) >> 20;
    let (code, verb) = match needed {
        needed if needed > has => (codes::MACHINE_MEMORY, "may need"),
        // A service that goes wrong is ended by its limit; until then it has memory that others must not miss.
        needed if needed * 10 > has * 9 || needed + SURPLUS > has => {
            (codes::TIGHT_MEMORY, "may need nearly all of it:")
        }
        _ => return,
    };
    let place = site.appliance.memory.as_ref().map_or(&site.appliance.hostname.place, |memory| &memory.place);
    let list: Vec<String> = parts.iter().map(|(what, mebibytes)| format!("{what} {mebibytes}")).collect();
    findings
        .add(code, place, format!("the machine has {has} MiB, and its services {verb} {needed} MiB"))
        .hint(format!("in MiB: {}; give it more, or lower `smtp.connections` or `antivirus.threads`", list.join(", ")));
}

fn in_clear(site: &Site, findings: &mut Findings) {
    let remote = |server: &DatabaseServer| {
        !server.tls && !matches!(server.host.value, DatabaseHost::Address(address) if address.is_loopback())
    };
    if let Database::Mariadb(server) | Database::Postgresql(server) = &site.storage.database.value
        && remote(server)
    {
        findings
            .add(
                codes::IN_CLEAR,
                &server.host.place,
                "the database's password and all accounts cross the network in clear",
            )
            .hint("leave `tls` out");
    }
    let ldap = &site.ldap;
    if ldap.enabled.value && ldap.anonymous.value {
        findings
            .add(
                codes::IN_CLEAR,
                &ldap.anonymous.place,
                "everybody who reaches the machine can read all names and addresses",
            )
            .hint("leave `anonymous` out: mail programs log in with the person's own password");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_address_belong_to_nobody() {
        let check = |address: &str, prefix: u8, expected: Option<&str>| {
            assert_eq!(edge(address.parse().unwrap(), prefix), expected, "{address}/{prefix}");
        };
        check("192.0.2.0", 24, Some("first"));
        check("192.0.2.255", 24, Some("last"));
        check("192.0.2.127", 25, Some("last"));
        check("192.0.2.127", 24, None);
        check("192.0.2.0", 31, None);
        check("192.0.2.0", 32, None);
    }
}
