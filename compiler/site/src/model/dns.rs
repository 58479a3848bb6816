//! Types of the section `dns`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use postkiln_address::Domain;

use super::Placed;

/// Addresses, zones and records that are published.
#[derive(Clone, Debug)]
pub struct Dns {
    /// Time to live of the records, in seconds.
    pub ttl: Placed<u32>,
    /// The appliance's public address, where one differs from the network's.
    pub address: Option<Placed<Ipv4Addr>>,
    /// The appliance's public IPv6 address, where one differs from the network's.
    pub address6: Option<Placed<Ipv6Addr>>,
    /// The servers of the zones; empty: the appliance itself.
    pub name_servers: Vec<Placed<Domain>>,
    /// Whether zone files are made.
    pub publish: Placed<bool>,
    /// The only authorities that may issue certificates; empty: all.
    pub caa: Vec<Placed<Domain>>,
    /// Whether the certificate's key is published (RFC 7672).
    pub tlsa: Placed<bool>,
    /// Further records by the zone that holds them.
    pub records: BTreeMap<Domain, Vec<Placed<Record>>>,
}

/// A DNS record that the person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The owner's name relative to the zone; `@` for the zone itself.
    pub name: String,
    /// The record's type: `A`, `AAAA`, `CNAME`, `MX`, `TXT`, `NS`, `SRV`, `CAA`, `TLSA`.
    pub kind: String,
    /// The data in presentation form; TXT without quotes.
    pub value: String,
}
