//! `smarthost` (ours): the login at the server that takes all mail for others.

use std::io;

use crate::smtproutes::Relay;
use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// The line `RELAY USER SECRET`; nothing: no login. The route itself stands in `smtproutes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Smarthost(pub Option<Login>);

/// A user name and a password's secret, for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The server that may be told the password; no other may.
    pub relay: Relay,
    /// The user's name at that server.
    pub user: String,
    /// The name of the secret that is the password. Its value is never in a bundle.
    pub secret: String,
}

impl ControlFile for Smarthost {
    const NAME: &'static str = "smarthost";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "no login";
    const READERS: &'static [&'static str] = &[];
    const DOC: &'static str =
        "The login at the smarthost: `relay:port user secret`, the password by the name of its secret.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let line = lines::first(bytes)?;
        if line.is_empty() {
            return Ok(Self(None));
        }
        let login = || {
            let (relay, rest) = line.split_once(' ')?;
            let (user, secret) = rest.rsplit_once(' ')?;
            let relay = relay.parse().ok()?;
            let given = !user.is_empty() && !secret.is_empty();
            given.then(|| Login { relay, user: user.to_owned(), secret: secret.to_owned() })
        };
        login()
            .map(|login| Self(Some(login)))
            .ok_or_else(|| ParseError::new(1, "does not read `relay:port user secret`"))
    }

    fn print(&self) -> String {
        self.0.as_ref().map(|login| format!("{} {} {}\n", login.relay, login.user, login.secret)).unwrap_or_default()
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
        for text in ["", "relay.example.net:587 office relay\n", "[2001:db8::1]:587 a user with spaces relay\n"] {
            assert_eq!(Smarthost::parse(text.as_bytes()).unwrap().print(), text);
        }
        for bad in ["relay.example.net", "relay.example.net user", "relay:0 user secret"] {
            assert!(Smarthost::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
