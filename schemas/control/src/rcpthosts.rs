//! `rcpthosts`: the domains that strangers may send to.

use std::io;

use postkiln_address::Domain;

use crate::{ControlFile, HostPattern, Kind, ParseError, ReadError, lines};

/// The domains that RCPT accepts from clients that may not relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rcpthosts(pub Vec<HostPattern>);

impl Rcpthosts {
    /// Whether anybody may send to this domain.
    #[must_use]
    pub fn allows(&self, domain: &Domain) -> bool {
        self.0.iter().any(|pattern| pattern.covers(domain))
    }
}

impl ControlFile for Rcpthosts {
    const NAME: &'static str = "rcpthosts";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "no domain (a stock qmail would relay for everybody)";
    const READERS: &'static [&'static str] = &["smtpd"];
    const DOC: &'static str =
        "Domains that RCPT accepts from clients that may not relay; `.example.org` covers the names below.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let parse =
            |(number, line): (usize, &str)| line.parse().map_err(|error| ParseError::new(number, format!("{error}")));
        lines::all(bytes)?.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    fn print(&self) -> String {
        lines::print(&self.0)
    }

    // A lost file must not open the relay: qmail's default is the one we do not keep.
    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_names_and_names_below() {
        let hosts = Rcpthosts::parse(b"example.org\n.example.net\n").unwrap();
        assert_eq!(hosts.print(), "example.org\n.example.net\n");
        for (name, expected) in
            [("EXAMPLE.org", true), ("a.example.org", false), ("a.example.net", true), ("example.net", false)]
        {
            assert_eq!(hosts.allows(&name.parse().unwrap()), expected, "{name}");
        }
        assert!(!Rcpthosts::read(|_| Ok(None)).unwrap().allows(&"example.org".parse().unwrap()));
        assert!(Rcpthosts::parse(b"*\n").is_err());
    }
}
