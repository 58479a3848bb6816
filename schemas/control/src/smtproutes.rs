//! `smtproutes`: artificial routes instead of MX records.

use std::net::IpAddr;
use std::str::FromStr;
use std::{fmt, io};

use postkiln_address::Domain;

use crate::{ControlFile, HostPattern, Kind, ParseError, ReadError, lines};

/// Lines `HOST:RELAY`, `HOST:RELAY:PORT`, `HOST:` (use MX after all); an empty HOST covers everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Smtproutes(pub Vec<(Option<HostPattern>, Option<Relay>)>);

/// A server that mail is handed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// The server's name or address.
    pub host: RelayHost,
    /// The server's port; 25 unless written.
    pub port: u16,
}

/// A relay's name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayHost {
    /// A name; its addresses are looked up, MX records are not.
    Name(Domain),
    /// An address, used without a look-up.
    Address(IpAddr),
}

impl Smtproutes {
    /// The route for a domain: its own line, then each `.suffix`, then the empty key. `None`: use MX.
    #[must_use]
    pub fn relay(&self, domain: &Domain) -> Option<&Relay> {
        let exact = HostPattern::Exact(domain.clone());
        let below = domain.parents().filter_map(|parent| parent.parse().ok().map(HostPattern::Below)).map(Some);
        let mut keys = std::iter::once(Some(exact)).chain(below).chain([None]);
        keys.find_map(|key| self.0.iter().find(|(pattern, _)| *pattern == key)).and_then(|(_, relay)| relay.as_ref())
    }
}

impl ControlFile for Smtproutes {
    const NAME: &'static str = "smtproutes";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "none";
    const READERS: &'static [&'static str] = &["remote"];
    const DOC: &'static str = "Artificial routes: `host:relay` or `host:relay:port`; `.host` covers the names below, an empty host everything, an empty relay means MX.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        lines::all(bytes)?
            .into_iter()
            .map(|(number, line)| parse_line(number, line))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn print(&self) -> String {
        lines::print(self.0.iter().map(|(pattern, relay)| {
            let pattern = pattern.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{pattern}:{}", relay.as_ref().map(ToString::to_string).unwrap_or_default())
        }))
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

fn parse_line(number: usize, line: &str) -> Result<(Option<HostPattern>, Option<Relay>), ParseError> {
    let bad = |problem: String| ParseError::new(number, problem);
    let (host, relay) = line.split_once(':').ok_or_else(|| bad(format!("{line:?} has no colon")))?;
    let pattern = match host {
        "" => None,
        host => Some(host.parse().map_err(|error| bad(format!("{error}")))?),
    };
    let relay = match relay {
        "" => None,
        relay => Some(relay.parse().map_err(|NoRelay| bad(format!("{relay:?} is no relay")))?),
    };
    Ok((pattern, relay))
}

/// A text that names no relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is neither a host, an address, nor one of them with a port from 1 to 65535")]
pub struct NoRelay;

/// Parses `name`, `name:port`, `192.0.2.1`, `192.0.2.1:port`, `[2001:db8::1]:port`.
impl FromStr for Relay {
    type Err = NoRelay;

    fn from_str(text: &str) -> Result<Self, NoRelay> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or(NoRelay)?)),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Some(25), |port| port.parse().ok().filter(|port| *port != 0)).ok_or(NoRelay)?;
        let host = match host.parse() {
            Ok(address) => RelayHost::Address(address),
            Err(_) => RelayHost::Name(host.parse().map_err(|_| NoRelay)?),
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            RelayHost::Name(name) => write!(f, "{name}")?,
            RelayHost::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            RelayHost::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        if self.port == 25 { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_special_route_wins() {
        let text = "a.example:relay.example:2525\n.b.example:192.0.2.1\nc.example:\n:[2001:db8::1]:26\n";
        let routes = Smtproutes::parse(text.as_bytes()).unwrap();
        assert_eq!(routes.print(), text);
        for (domain, expected) in [
            ("a.example", Some("relay.example:2525")),
            ("x.b.example", Some("192.0.2.1")),
            ("c.example", None),
            ("else.example", Some("[2001:db8::1]:26")),
        ] {
            let relay = routes.relay(&domain.parse().unwrap()).map(ToString::to_string);
            assert_eq!(relay.as_deref(), expected, "{domain}");
        }
        for bad in ["relay", "a:b:0", "a:b:c", "a:[::1", "a b:c"] {
            assert!(Smtproutes::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
