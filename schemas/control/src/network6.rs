//! `network6` (ours): how the machine gets its IPv6 addresses.

use std::io;
use std::net::Ipv6Addr;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// How the machine gets its IPv6 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Network6 {
    /// The word `none`: no IPv6 addresses.
    None,
    /// The word `auto`: addresses by router advertisements (RFC 4862).
    #[default]
    Auto,
    /// A line `2001:db8::25/64`, or the same with the gateway after a space.
    Static {
        /// The machine's own address.
        address: Ipv6Addr,
        /// Length of the network part in bits, 0 to 128.
        prefix: u8,
        /// The default router, when there is one.
        gateway: Option<Ipv6Addr>,
    },
}

impl ControlFile for Network6 {
    const NAME: &'static str = "network6";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "auto";
    const READERS: &'static [&'static str] = &[];
    const DOC: &'static str =
        "`none`, `auto`, or the address with its prefix length and the gateway: `2001:db8::25/64 2001:db8::1`.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        match lines::first(bytes)? {
            "none" => Ok(Self::None),
            "auto" => Ok(Self::Auto),
            line => parse_static(line).ok_or_else(|| {
                ParseError::new(1, format!("{line:?} is neither `none`, `auto` nor `ADDRESS/PREFIX GATEWAY`"))
            }),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::None => "none\n".to_owned(),
            Self::Auto => "auto\n".to_owned(),
            Self::Static { address, prefix, gateway: None } => format!("{address}/{prefix}\n"),
            Self::Static { address, prefix, gateway: Some(gateway) } => format!("{address}/{prefix} {gateway}\n"),
        }
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

fn parse_static(line: &str) -> Option<Network6> {
    let (address, gateway) = line.split_once(' ').map_or((line, None), |(address, gateway)| (address, Some(gateway)));
    let (address, prefix) = address.split_once('/')?;
    let prefix = prefix.parse().ok().filter(|prefix| (1..=128).contains(prefix))?;
    let gateway = gateway.map(|gateway| gateway.parse().ok()).map_or(Some(None), |gateway| gateway.map(Some))?;
    Some(Network6::Static { address: address.parse().ok()?, prefix, gateway })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        for text in ["none\n", "auto\n", "2001:db8::25/64\n", "2001:db8::25/64 fe80::1\n"] {
            assert_eq!(Network6::parse(text.as_bytes()).unwrap().print(), text);
        }
        for bad in ["", "2001:db8::25", "2001:db8::25/0", "2001:db8::25/129", "192.0.2.1/24", "2001:db8::25/64 x"] {
            assert!(Network6::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
