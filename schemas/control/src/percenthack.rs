//! `percenthack`: domains whose local parts hide another address.

use std::io;

use postkiln_address::Domain;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// Domains where `user%host@domain` means `user@host`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Percenthack(pub Vec<Domain>);

impl ControlFile for Percenthack {
    const NAME: &'static str = "percenthack";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "none";
    const READERS: &'static [&'static str] = &[];
    const DOC: &'static str = "Domains where `user%host@domain` means `user@host`. Never one that strangers may send to: that would be an open relay.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let parse =
            |(number, line): (usize, &str)| line.parse().map_err(|error| ParseError::new(number, format!("{error}")));
        lines::all(bytes)?.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    fn print(&self) -> String {
        lines::print(&self.0)
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let value = Percenthack(vec!["a.example".parse().unwrap()]);
        assert_eq!(Percenthack::parse(value.print().as_bytes()), Ok(value));
        assert!(Percenthack::parse(b".a.example\n").is_err());
    }
}
