//! `timeservers` (ours): whom the machine asks what time it is.

use std::net::IpAddr;
use std::{fmt, io};

use postkiln_address::Domain;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// NTP servers; empty: those that DHCP names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeservers(pub Vec<Timeserver>);

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timeserver {
    /// Looked up.
    Name(Domain),
    /// No look-up.
    Address(IpAddr),
}

impl ControlFile for Timeservers {
    const NAME: &'static str = "timeservers";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "those that DHCP names";
    const READERS: &'static [&'static str] = &[];
    const DOC: &'static str = "NTP servers, one name or address per line; none: those that DHCP names.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let parse = |(number, line): (usize, &str)| {
            if let Ok(address) = line.parse() {
                return Ok(Timeserver::Address(address));
            }
            line.parse().map(Timeserver::Name).map_err(|error| ParseError::new(number, format!("{error}")))
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

impl fmt::Display for Timeserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let text = "192.0.2.123\n2001:db8::123\ntime.example\n";
        assert_eq!(Timeservers::parse(text.as_bytes()).unwrap().print(), text);
        assert!(Timeservers::parse(b"a b\n").is_err());
    }
}
