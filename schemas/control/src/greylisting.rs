//! `greylisting` (ours): how long strangers wait, and how long they are remembered (RFC 6647).

use std::io;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// One line `DELAY WINDOW REMEMBER`, in seconds; an empty file, as a missing one, is no greylisting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Greylisting(pub Option<Delays>);

/// The times of greylisting, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// How long a stranger's recipient is refused after the first attempt.
    pub delay: u64,
    /// How long after the first attempt the next one counts as the same.
    pub window: u64,
    /// How long those who came again are known after they were last seen.
    pub remember: u64,
}

impl ControlFile for Greylisting {
    const NAME: &'static str = "greylisting";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "no greylisting";
    const READERS: &'static [&'static str] = &["smtpd", "policyd"];
    const DOC: &'static str = "`300 172800 3024000`: seconds that a stranger's first message waits, within which it must come again, and for which the stranger is known then. A stock qmail ignores it.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let line = lines::first(bytes)?;
        if line.is_empty() {
            return Ok(Self(None));
        }
        let numbers: Option<Vec<u64>> = line.split(' ').map(|number| number.parse().ok()).collect();
        let Some([delay, window, remember]) = numbers.as_deref() else {
            return Err(ParseError::new(1, format!("{line:?} is not three numbers of seconds")));
        };
        if !(0 < *delay && delay < window && *window <= LONGEST && *remember <= LONGEST && *remember > 0) {
            let problem =
                format!("{line:?}: the delay must be over within the window, and nothing lasts for more than a year");
            return Err(ParseError::new(1, problem));
        }
        Ok(Self(Some(Delays { delay: *delay, window: *window, remember: *remember })))
    }

    fn print(&self) -> String {
        lines::print(self.0.iter().map(|Delays { delay, window, remember }| format!("{delay} {window} {remember}")))
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

/// A year in seconds.
const LONGEST: u64 = 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        for text in ["", "300 172800 3024000\n", "1 2 1\n"] {
            assert_eq!(Greylisting::parse(text.as_bytes()).unwrap().print(), text);
        }
        for bad in ["300", "300 172800", "0 2 3", "300 300 5", "5 6 0", "1 2 99999999999", "a b c", "1 2 3 4"] {
            assert!(Greylisting::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
