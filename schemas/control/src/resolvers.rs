//! `resolvers` (ours): the DNS servers the machine asks.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::lines::list_file;

list_file!(
    /// DNS servers; empty: those that DHCP names.
    Resolvers(Resolver), "resolvers", "those that DHCP names", &["netd", "remote"],
    "DNS servers, one `address` or `address:port` per line; none: those that DHCP names."
);

/// One DNS server: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// The server's address.
    pub address: IpAddr,
    /// The server's port; 53 unless written.
    pub port: u16,
}

/// A text that names no resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is neither an address nor one with a port from 1 to 65535")]
pub struct NoResolver;

impl FromStr for Resolver {
    type Err = NoResolver;

    fn from_str(text: &str) -> Result<Self, NoResolver> {
        if let Ok(address) = text.parse() {
            return Ok(Self { address, port: 53 });
        }
        let socket: SocketAddr = text.parse().map_err(|_| NoResolver)?;
        if socket.port() == 0 { Err(NoResolver) } else { Ok(Self { address: socket.ip(), port: socket.port() }) }
    }
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
    use crate::ControlFile;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let text = "192.0.2.53\n127.0.0.1:5353\n2001:db8::53\n[2001:db8::53]:5353\n";
        assert_eq!(Resolvers::parse(text.as_bytes()).unwrap().print(), text);
        assert!(Resolvers::parse(b"dns.example\n").is_err());
        assert!(Resolvers::parse(b"127.0.0.1:0\n").is_err());
    }
}
