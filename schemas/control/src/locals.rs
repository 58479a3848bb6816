//! `locals`: domains whose users are the machine's own accounts.

use std::io;

use postkiln_address::Domain;

use crate::{ControlFile, Kind, Me, ParseError, ReadError, lines};

/// Domains that are not virtual. Ours is always empty, since people have no Unix accounts on the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locals(pub Vec<Domain>);

impl ControlFile for Locals {
    const NAME: &'static str = "locals";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "me";
    const READERS: &'static [&'static str] = &["queued"];
    const DOC: &'static str = "Domains whose users are accounts of the machine itself; ours are all virtual.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        lines::items(bytes).map(Self)
    }

    fn print(&self) -> String {
        lines::print(&self.0)
    }

    fn missing(get: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Me::read(get).map(|me| Self(vec![me.0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        for value in [Locals::default(), Locals(vec!["a.example".parse().unwrap(), "b.example".parse().unwrap()])] {
            assert_eq!(Locals::parse(value.print().as_bytes()), Ok(value));
        }
        assert!(Locals::parse(b"a..b\n").is_err());
    }
}
