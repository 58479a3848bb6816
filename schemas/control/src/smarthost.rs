//! `smarthost` (ours): the login at the server that takes all mail for others.

use std::str::FromStr;
use std::{fmt, io};

use crate::smtproutes::Relay;
use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// The line `RELAY [sha256:KEY] USER SECRET`; nothing: no login. The route itself stands in `smtproutes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Smarthost(pub Option<Login>);

/// A user name and a password's secret, for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The server that may be told the password; no other may.
    pub relay: Relay,
    /// The key that the server must have; `None`: a public authority must vouch for its certificate.
    pub key: Option<KeyDigest>,
    /// The user's name at that server.
    pub user: String,
    /// The name of the secret that is the password. Its value is never in a bundle.
    pub secret: String,
}

/// The SHA-256 of a public key (the SubjectPublicKeyInfo of RFC 5280 §4.1), in text 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDigest(pub [u8; 32]);

/// A text that is no digest of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits")]
pub struct NoDigest;

impl FromStr for KeyDigest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(NoDigest) };
        let mut octets = [0; 32];
        if pairs.len() != octets.len() || !text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(NoDigest);
        }
        for (octet, pair) in octets.iter_mut().zip(pairs) {
            let digits = std::str::from_utf8(pair).map_err(|_| NoDigest)?;
            *octet = u8::from_str_radix(digits, 16).map_err(|_| NoDigest)?;
        }
        Ok(Self(octets))
    }
}

impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl ControlFile for Smarthost {
    const NAME: &'static str = "smarthost";
    const KIND: Kind = Kind::Line;
    const DEFAULT: &'static str = "no login";
    const READERS: &'static [&'static str] = &["remote"];
    const DOC: &'static str = "The login at the smarthost: `relay:port user secret`, the password by the name of its secret. `sha256:` and a digest before the user: the key that the server must have.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let line = lines::first(bytes)?;
        if line.is_empty() {
            return Ok(Self(None));
        }
        let login = || {
            let (relay, rest) = line.split_once(' ')?;
            let key = rest.strip_prefix("sha256:").and_then(|rest| rest.split_once(' '));
            let key = key.and_then(|(key, rest)| Some((key.parse().ok()?, rest)));
            let (key, rest) = key.map_or((None, rest), |(key, rest)| (Some(key), rest));
            let (user, secret) = rest.rsplit_once(' ')?;
            let relay = relay.parse().ok()?;
            let given = !user.is_empty() && !secret.is_empty();
            given.then(|| Login { relay, key, user: user.to_owned(), secret: secret.to_owned() })
        };
        login()
            .map(|login| Self(Some(login)))
            .ok_or_else(|| ParseError::new(1, "does not read `relay:port user secret`"))
    }

    fn print(&self) -> String {
        let Some(login) = &self.0 else { return String::new() };
        let key = login.key.map(|key| format!("sha256:{key} ")).unwrap_or_default();
        format!("{} {key}{} {}\n", login.relay, login.user, login.secret)
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
        let pinned = format!("relay.example.net:465 sha256:{} office relay\n", "0f".repeat(32));
        for text in
            ["", "relay.example.net:587 office relay\n", "[2001:db8::1]:587 a user with spaces relay\n", &pinned]
        {
            assert_eq!(Smarthost::parse(text.as_bytes()).unwrap().print(), text);
        }
        let login = Smarthost::parse(pinned.as_bytes()).unwrap().0.unwrap();
        assert_eq!((login.key, login.user.as_str()), (Some(KeyDigest([15; 32])), "office"));
        for bad in ["relay.example.net", "relay.example.net user", "relay:0 user secret"] {
            assert!(Smarthost::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
