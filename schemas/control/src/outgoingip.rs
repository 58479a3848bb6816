//! `outgoingip`: the address outgoing connections come from.

use std::io;
use std::net::IpAddr;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// The machine's own address that outgoing connections are made from; `None`: the system chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outgoingip(pub Option<IpAddr>);

impl ControlFile for Outgoingip {
    const NAME: &'static str = "outgoingip";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "the system's choice";
    const READERS: &'static [&'static str] = &[];
    const DOC: &'static str = "The machine's own address that outgoing connections are made from.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        match lines::first(bytes)? {
            "" => Ok(Self(None)),
            line => line.parse().map(|address| Self(Some(address))).map_err(|_| no_address(line)),
        }
    }

    fn print(&self) -> String {
        self.0.map(|address| format!("{address}\n")).unwrap_or_default()
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

fn no_address(line: &str) -> ParseError {
    ParseError::new(1, format!("{line:?} is no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        for text in ["", "192.0.2.7\n", "2001:db8::7\n"] {
            assert_eq!(Outgoingip::parse(text.as_bytes()).unwrap().print(), text);
        }
        assert!(Outgoingip::parse(b"mail.example.org\n").is_err());
    }
}
