//! `badmailfrom`: senders that are refused.

use std::str::FromStr;
use std::{fmt, io};

use postkiln_address::{Address, AddressError, Domain, ReversePath};

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// Senders whose recipients are all refused with 553.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Badmailfrom(pub Vec<BadSender>);

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadSender {
    /// `user@domain`.
    Address(Address),
    /// `@domain`: everybody there.
    Domain(Domain),
}

impl Badmailfrom {
    /// Whether the sender is refused.
    #[must_use]
    pub fn refuses(&self, sender: &ReversePath) -> bool {
        sender.address().is_some_and(|sender| {
            self.0.iter().any(|bad| match bad {
                BadSender::Address(address) => address.key() == sender.key(),
                BadSender::Domain(domain) => domain == sender.domain(),
            })
        })
    }
}

impl ControlFile for Badmailfrom {
    const NAME: &'static str = "badmailfrom";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "none";
    const READERS: &'static [&'static str] = &["smtpd"];
    const DOC: &'static str = "Senders that are refused: `user@domain`, or `@domain` for everybody there.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let parse = |(number, line): (usize, &str)| {
            line.parse().map_err(|error: AddressError| ParseError::new(number, error.to_string()))
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

impl FromStr for BadSender {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix('@') {
            Some(domain) => domain.parse().map(Self::Domain),
            None => text.parse().map(Self::Address),
        }
    }
}

impl fmt::Display for BadSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_whole_domains() {
        let bad = Badmailfrom::parse(b"spam@a.example\n@b.example\n").unwrap();
        assert_eq!(bad.print(), "spam@a.example\n@b.example\n");
        for (sender, expected) in
            [("SPAM@a.example", true), ("ham@a.example", false), ("x@B.example", true), ("", false), ("#@[]", false)]
        {
            assert_eq!(bad.refuses(&sender.parse().unwrap()), expected, "{sender:?}");
        }
        assert!(Badmailfrom::parse(b"nobody\n").is_err());
    }
}
