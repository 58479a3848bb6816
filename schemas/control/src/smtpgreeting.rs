//! `smtpgreeting`: the text of the line that a client reads first.

use std::io;

use crate::{ControlFile, Kind, Me, ParseError, ReadError, lines};

/// The text after `220 `; its first word should be the host's name (RFC 5321 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtpgreeting(pub String);

impl ControlFile for Smtpgreeting {
    const NAME: &'static str = "smtpgreeting";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "me";
    const READERS: &'static [&'static str] = &["smtpd"];
    const DOC: &'static str = "The text after 220; its first word should be the host's name.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let line = lines::first(bytes)?;
        // A reply line is 512 octets with code and CRLF (RFC 5321 §4.5.3.1.5); " ESMTP" follows.
        if line.is_empty() || line.len() > 400 || !line.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return Err(ParseError::new(1, "is not 1 to 400 printable ASCII characters"));
        }
        Ok(Self(line.to_owned()))
    }

    fn print(&self) -> String {
        format!("{}\n", self.0)
    }

    fn missing(get: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Me::read(get).map(|me| Self(me.0.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let value = Smtpgreeting("mail.example.org at your service".to_owned());
        assert_eq!(Smtpgreeting::parse(value.print().as_bytes()), Ok(value));
        assert!(Smtpgreeting::parse(b"").is_err());
        assert!(Smtpgreeting::parse("gr\u{fc}n".as_bytes()).is_err());
    }
}
