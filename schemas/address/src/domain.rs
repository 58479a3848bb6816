//! Domain names as mail uses them (RFC 5321 §4.1.2, RFC 1035 §2.3.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::AddressError;

/// A host or mail domain: lower-case ASCII labels of letters, digits and hyphens (A-labels for internationalised
/// names), 1 to 253 octets, no trailing dot. A domain from an envelope may hold more: see [`Domain::received`].
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

    /// `Domain = sub-domain *("." sub-domain)`; each label 1 to 63 octets, no hyphen at its ends.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = |problem| Err(AddressError::new(text, problem));
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
    fn parents_go_outwards() {
        let domain: Domain = "b.c.d".parse().unwrap();
        assert_eq!(domain.parents().collect::<Vec<_>>(), ["c.d", "d"]);
    }
}
