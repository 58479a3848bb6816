//! `me`: the host's own name, and the default of many other files.

use std::io;

use postkiln_address::Domain;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// The host's fully qualified name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me(pub Domain);

impl ControlFile for Me {
    const NAME: &'static str = "me";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "none: the system does not start without it";
    const READERS: &'static [&'static str] = &["smtpd", "queued", "remote", "local", "imapd", "pop3d", "keyd"];
    const DOC: &'static str = "The host's fully qualified name; the default of many other files.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        lines::first(bytes)?.parse().map(Self).map_err(|error| ParseError::new(1, error.to_string()))
    }

    fn print(&self) -> String {
        format!("{}\n", self.0)
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Err(ReadError::Missing(Self::NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let me = Me("mail.example.org".parse().unwrap());
        assert_eq!(Me::parse(me.print().as_bytes()), Ok(me));
        assert!(Me::parse(b"\n").is_err());
        assert!(matches!(Me::read(|_| Ok(None)), Err(ReadError::Missing("me"))));
    }
}
