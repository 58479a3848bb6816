//! `bouncefrom`: who notices say they come from.

use std::io;

use postkiln_address::LocalPart;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// The local part in the From field of failure notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bouncefrom(pub LocalPart);

impl ControlFile for Bouncefrom {
    const NAME: &'static str = "bouncefrom";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "MAILER-DAEMON";
    const READERS: &'static [&'static str] = &["queued"];
    const DOC: &'static str = "The local part in the From field of failure notices.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let line = lines::first(bytes)?;
        LocalPart::new(line).map(Self).map_err(|error| ParseError::new(1, error.to_string()))
    }

    fn print(&self) -> String {
        format!("{}\n", self.0.as_str())
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Self::parse(Self::DEFAULT.as_bytes()).map_err(|problem| ReadError::Malformed { name: Self::NAME, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let value = Bouncefrom::read(|_| Ok(None)).unwrap();
        assert_eq!(value.0.as_str(), "MAILER-DAEMON");
        assert_eq!(Bouncefrom::parse(value.print().as_bytes()), Ok(value));
        assert!(Bouncefrom::parse(b"\n").is_err());
    }
}
