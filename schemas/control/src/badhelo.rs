//! `badhelo`: names that clients may not give themselves.

use std::io;

use crate::{ControlFile, HostPattern, Kind, ParseError, ReadError, lines};

/// Names in HELO and EHLO whose clients' recipients are all refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Badhelo(pub Vec<HostPattern>);

impl Badhelo {
    /// Whether a client of this name is refused. What is no host name is no bad one either.
    #[must_use]
    pub fn refuses(&self, name: &str) -> bool {
        name.parse().is_ok_and(|name| self.0.iter().any(|bad| bad.covers(&name)))
    }
}

impl ControlFile for Badhelo {
    const NAME: &'static str = "badhelo";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "none";
    const READERS: &'static [&'static str] = &[];
    const DOC: &'static str = "Names in HELO and EHLO that are refused: `host`, or `.example.com` for the names below; relay clients may use them.";

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
    fn names_and_names_below() {
        let bad = Badhelo::parse(b"localhost\n.dynamic.example\n").unwrap();
        assert_eq!(bad.print(), "localhost\n.dynamic.example\n");
        for (name, expected) in
            [("LocalHost", true), ("a.dynamic.example", true), ("dynamic.example", false), ("[192.0.2.1]", false)]
        {
            assert_eq!(bad.refuses(name), expected, "{name}");
        }
    }
}
