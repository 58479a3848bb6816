//! `badrcptto`: recipients that are refused.

use std::str::FromStr;
use std::{fmt, io};

use postkiln_address::{Address, AddressError, Domain};

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// Recipients that are refused with 553, whoever writes to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Badrcptto(pub Vec<BadRecipient>);

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRecipient {
    /// `user@domain`.
    Address(Address),
    /// `@domain`: everybody there.
    Domain(Domain),
}

impl Badrcptto {
    /// Whether the recipient is refused.
    #[must_use]
    pub fn refuses(&self, recipient: &Address) -> bool {
        self.0.iter().any(|bad| match bad {
            BadRecipient::Address(address) => address.key() == recipient.key(),
            BadRecipient::Domain(domain) => domain == recipient.domain(),
        })
    }
}

impl ControlFile for Badrcptto {
    const NAME: &'static str = "badrcptto";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "none";
    const READERS: &'static [&'static str] = &["smtpd"];
    const DOC: &'static str =
        "Recipients that are refused, whoever writes to them: `user@domain`, or `@domain` for everybody there.";

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

impl FromStr for BadRecipient {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix('@') {
            Some(domain) => domain.parse().map(Self::Domain),
            None => text.parse().map(Self::Address),
        }
    }
}

impl fmt::Display for BadRecipient {
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
        let bad = Badrcptto::parse(b"spam@a.example\n@b.example\n").unwrap();
        assert_eq!(bad.print(), "spam@a.example\n@b.example\n");
        for (recipient, expected) in [("SPAM@a.example", true), ("ham@a.example", false), ("x@B.example", true)] {
            assert_eq!(bad.refuses(&recipient.parse().unwrap()), expected, "{recipient}");
        }
        assert!(Badrcptto::parse(b"nobody\n").is_err());
    }
}
