//! `rates` (ours): how much one client, or one login, may do.

use std::io;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// Lines `connections_per_minute=60`, `messages_per_hour=…`, `recipients_per_hour=…`; a missing one is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// New connections of one client in a minute.
    pub connections_per_minute: Option<u32>,
    /// Messages of one login in an hour.
    pub messages_per_hour: Option<u32>,
    /// Recipients of one login's messages in an hour.
    pub recipients_per_hour: Option<u32>,
}

impl Rates {
    fn named(&mut self) -> [(&'static str, &mut Option<u32>); 3] {
        [
            ("connections_per_minute", &mut self.connections_per_minute),
            ("messages_per_hour", &mut self.messages_per_hour),
            ("recipients_per_hour", &mut self.recipients_per_hour),
        ]
    }
}

impl ControlFile for Rates {
    const NAME: &'static str = "rates";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "no limit";
    const READERS: &'static [&'static str] = &[];
    const DOC: &'static str =
        "`connections_per_minute=60`: of one client; `messages_per_hour=…`, `recipients_per_hour=…`: of one login.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut rates = Self::default();
        for (number, line) in lines::all(bytes)? {
            let bad = || ParseError::new(number, format!("{line:?} is no rate"));
            let (name, value) = line.split_once('=').ok_or_else(bad)?;
            let (_, field) = rates.named().into_iter().find(|(known, _)| *known == name).ok_or_else(bad)?;
            *field = Some(value.parse().ok().filter(|value| *value > 0).ok_or_else(bad)?);
        }
        Ok(rates)
    }

    fn print(&self) -> String {
        let mut rates = *self;
        let given = rates.named().into_iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}")));
        lines::print(given)
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
        for text in ["", "connections_per_minute=60\nrecipients_per_hour=500\n", "messages_per_hour=1\n"] {
            assert_eq!(Rates::parse(text.as_bytes()).unwrap().print(), text);
        }
        for bad in ["x=1", "messages_per_hour", "messages_per_hour=0", "messages_per_hour=x"] {
            assert!(Rates::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
