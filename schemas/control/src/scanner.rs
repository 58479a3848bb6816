//! `scanner` (ours): the engine that looks at messages before they enter the queue.

use std::io;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// Lines `engine=…`, `on_infected=…`, `on_failure=…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanner {
    /// The scanning engine.
    pub engine: Engine,
    /// The fate of an infected message.
    pub on_infected: OnInfected,
    /// The fate of a message when the engine cannot say.
    pub on_failure: OnFailure,
}

/// The program that scans messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// `none`: mail is not scanned.
    #[default]
    None,
    /// `clamav`: ClamAV's clamd, over its socket `clamav/clamd.sock` below the data directory.
    Clamav,
}

/// The fate of an infected message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInfected {
    /// `reject`: 554 at the end of DATA.
    #[default]
    Reject,
}

/// The fate of a message when the engine cannot say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// `defer`: 451 at the end of DATA.
    #[default]
    Defer,
}

impl ControlFile for Scanner {
    const NAME: &'static str = "scanner";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "engine=none";
    const READERS: &'static [&'static str] = &["smtpd"];
    const DOC: &'static str = "`engine=clamav` or `engine=none`, `on_infected=reject`, `on_failure=defer`.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut scanner = Self::default();
        for (number, line) in lines::all(bytes)? {
            match line {
                "engine=none" => scanner.engine = Engine::None,
                "engine=clamav" => scanner.engine = Engine::Clamav,
                "on_infected=reject" => scanner.on_infected = OnInfected::Reject,
                "on_failure=defer" => scanner.on_failure = OnFailure::Defer,
                other => return Err(ParseError::new(number, format!("{other:?} is not known"))),
            }
        }
        Ok(scanner)
    }

    fn print(&self) -> String {
        let engine = match self.engine {
            Engine::None => "none",
            Engine::Clamav => "clamav",
        };
        let OnInfected::Reject = self.on_infected;
        let OnFailure::Defer = self.on_failure;
        format!("engine={engine}\non_infected=reject\non_failure=defer\n")
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
        for engine in [Engine::None, Engine::Clamav] {
            let scanner = Scanner { engine, ..Scanner::default() };
            assert_eq!(Scanner::parse(scanner.print().as_bytes()), Ok(scanner));
        }
        assert!(Scanner::parse(b"engine=magic\n").is_err());
    }
}
