//! `resolvers` (ours): the DNS servers the machine asks.

use std::net::{IpAddr, SocketAddr};
use std::{fmt, io};

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// DNS servers; empty: those that DHCP names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolvers(pub Vec<Resolver>);

/// One DNS server: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Its address.
    pub address: IpAddr,
    /// Its port; 53 unless written.
    pub port: u16,
}

impl ControlFile for Resolvers {
    const NAME: &'static str = "resolvers";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "those that DHCP names";
    const READERS: &'static [&'static str] = &["init", "remote"];
    const DOC: &'static str = "DNS servers, one `address` or `address:port` per line; none: those that DHCP names.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let parse = |(number, line): (usize, &str)| {
            parse_resolver(line).ok_or_else(|| ParseError::new(number, format!("{line:?} is no address")))
        };
        lines::all(bytes)?.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    fn print(&self) -> String {
        lines::print(&self.0)
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

fn parse_resolver(line: &str) -> Option<Resolver> {
    if let Ok(address) = line.parse() {
        return Some(Resolver { address, port: 53 });
    }
    let socket: SocketAddr = line.parse().ok()?;
    (socket.port() != 0).then_some(Resolver { address: socket.ip(), port: socket.port() })
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            53 => write!(f, "{}", self.address),
            port => write!(f, "{}", SocketAddr::new(self.address, port)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let text = "192.0.2.53\n127.0.0.1:5353\n2001:db8::53\n[2001:db8::53]:5353\n";
        assert_eq!(Resolvers::parse(text.as_bytes()).unwrap().print(), text);
        assert!(Resolvers::parse(b"dns.example\n").is_err());
        assert!(Resolvers::parse(b"127.0.0.1:0\n").is_err());
    }
}
