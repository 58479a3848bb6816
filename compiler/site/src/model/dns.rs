//! What stands under `dns`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use postkiln_address::Domain;

use super::Placed;

/// What we publish.
#[derive(Clone, Debug)]
pub struct Dns {
    /// Seconds.
    pub ttl: Placed<u32>,
    /// The appliance's public address, where one differs from the network's.
    pub address: Option<Placed<Ipv4Addr>>,
    /// The same of IPv6.
    pub address6: Option<Placed<Ipv6Addr>>,
    /// Who serves the zones; empty: the appliance.
    pub name_servers: Vec<Placed<Domain>>,
    /// Whether zone files are made.
    pub publish: Placed<bool>,
    /// The only authorities that may issue certificates; empty: all.
    pub caa: Vec<Placed<Domain>>,
    /// Whether the certificate's key is published (RFC 7672).
    pub tlsa: Placed<bool>,
    /// Further records by zone.
    pub records: BTreeMap<Domain, Vec<Placed<Record>>>,
}

/// A further record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Owner relative to the zone, `@` for the zone itself.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, `MX`, `TXT`, `NS`, `SRV`, `CAA`, `TLSA`.
    pub kind: String,
    /// Data in presentation form; TXT without quotes.
    pub value: String,
}
