//! Domain names as mail uses them (RFC 5321 §4.1.2, RFC 1035 §2.3.1).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::AddressError;

/// A host or mail domain: lower-case ASCII labels of letters, digits and hyphens (A-labels for internationalised
/// names), 1 to 253 octets, no trailing dot; the last label is no number, so the address of a machine is no domain. A
/// domain from an envelope may hold more: see [`Domain::received`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(pub(crate) Box<str>);

impl Domain {
    /// The name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parent domains from the nearest to the outermost: `c.d`, `d` for `b.c.d`.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        let text = self.as_str();
        text.match_indices('.').map(move |(at, _)| &text[at + 1..])
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    /// `Domain = sub-domain *("." sub-domain)`; each label 1 to 63 octets, no hyphen at its ends. RFC 1123 §2.1 tells
    /// names from dotted addresses by their last label.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = |problem| Err(AddressError::new(text, problem));
        if text.parse::<IpAddr>().is_ok() {
            return bad("is an address, and a name is wanted");
        }
        if text.is_empty() || text.len() > 253 {
            return bad("is not 1 to 253 octets long");
        }
        for label in text.split('.') {
            if label.is_empty() {
                return bad("has an empty label");
            }
            if label.len() > 63 {
                return bad("has a label over 63 octets");
            }
            if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return bad("has a character that no domain may have");
            }
            if label.starts_with('-') || label.ends_with('-') {
                return bad("has a label that begins or ends with a hyphen");
            }
        }
        let last = text.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|b| b.is_ascii_digit()) {
            return bad("ends in a number, as addresses do and names do not");
        }
        Ok(Self(text.to_ascii_lowercase().into_boxed_str()))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Domain {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::received(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_no_name() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(text.parse::<Domain>().err().map(|error| error.problem), expected, "{text}");
        };
        let (address, number) =
            ("is an address, and a name is wanted", "ends in a number, as addresses do and names do not");
        check("192.0.2.1", Some(address));
        check("2001:db8::1", Some(address));
        check("relay.192.0.2.9", Some(number));
        check("256.0.2.1", Some(number));
        check("10", Some(number));
        check("1.2.0.192.in-addr.arpa", None);
        check("3com.example", None);
        check("mail.x1", None);
    }

    #[test]
    fn parents_go_outwards() {
        let domain: Domain = "b.c.d".parse().unwrap();
        assert_eq!(domain.parents().collect::<Vec<_>>(), ["c.d", "d"]);
    }
}
