//! `dnsbllist`: lists of bad clients in the DNS.

use std::{fmt, io};

use postkiln_address::Domain;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// Lists that are asked about a client, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dnsbllist(pub Vec<BlockList>);

/// One line: `zone`, or `zone defer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    /// Where a client is looked up.
    pub zone: Domain,
    /// `defer`: mail waits while the list does not answer (rblsmtpd's `-c`).
    pub defer: bool,
}

impl ControlFile for Dnsbllist {
    const NAME: &'static str = "dnsbllist";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "none";
    const READERS: &'static [&'static str] = &[];
    const DOC: &'static str = "Lists of bad clients in the DNS, one zone per line; `zone defer` makes mail wait while the list does not answer.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let parse = |(number, line): (usize, &str)| {
            let (zone, defer) = line.strip_suffix(" defer").map_or((line, false), |zone| (zone, true));
            let zone = zone.parse().map_err(|error| ParseError::new(number, format!("{error}")))?;
            Ok(BlockList { zone, defer })
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

impl fmt::Display for BlockList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.zone, if self.defer { " defer" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let text = "zen.example\nother.example defer\n";
        let lists = Dnsbllist::parse(text.as_bytes()).unwrap();
        assert_eq!(lists.print(), text);
        assert_eq!(lists.0.iter().map(|list| list.defer).collect::<Vec<_>>(), [false, true]);
        assert!(Dnsbllist::parse(b"a b c\n").is_err());
    }
}
