//! `network` (ours): how the machine gets its address.

use std::io;
use std::net::Ipv4Addr;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// How the machine gets its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Network {
    /// The word `dhcp`.
    #[default]
    Dhcp,
    /// A line `192.0.2.10/24` or `192.0.2.10/24 192.0.2.1`.
    Static {
        /// The machine's own address.
        address: Ipv4Addr,
        /// Length of the network part in bits, 0 to 32.
        prefix: u8,
        /// The default router, when there is one.
        gateway: Option<Ipv4Addr>,
    },
}

impl ControlFile for Network {
    const NAME: &'static str = "network";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "dhcp";
    const READERS: &'static [&'static str] = &["netd"];
    const DOC: &'static str =
        "`dhcp`, or the address with its prefix length and the gateway: `192.0.2.10/24 192.0.2.1`.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let line = lines::first(bytes)?;
        if line == "dhcp" {
            return Ok(Self::Dhcp);
        }
        parse_static(line)
            .ok_or_else(|| ParseError::new(1, format!("{line:?} is neither `dhcp` nor `ADDRESS/PREFIX GATEWAY`")))
    }

    fn print(&self) -> String {
        match self {
            Self::Dhcp => "dhcp\n".to_owned(),
            Self::Static { address, prefix, gateway: None } => format!("{address}/{prefix}\n"),
            Self::Static { address, prefix, gateway: Some(gateway) } => format!("{address}/{prefix} {gateway}\n"),
        }
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::Dhcp)
    }
}

fn parse_static(line: &str) -> Option<Network> {
    let (address, gateway) = line.split_once(' ').map_or((line, None), |(address, gateway)| (address, Some(gateway)));
    let (address, prefix) = address.split_once('/')?;
    let prefix = prefix.parse().ok().filter(|prefix| (1..=32).contains(prefix))?;
    let gateway = gateway.map(|gateway| gateway.parse().ok()).map_or(Some(None), |gateway| gateway.map(Some))?;
    Some(Network::Static { address: address.parse().ok()?, prefix, gateway })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        for text in ["dhcp\n", "192.0.2.10/24\n", "192.0.2.10/24 192.0.2.1\n"] {
            assert_eq!(Network::parse(text.as_bytes()).unwrap().print(), text);
        }
        for bad in ["", "192.0.2.10", "192.0.2.10/0", "192.0.2.10/33", "192.0.2.10/24 x", "192.0.2.10/24 192.0.2.1 y"] {
            assert!(Network::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
