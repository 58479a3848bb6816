//! Mail addresses as values: domains, local parts, addresses, reverse paths (RFC 5321 §2.3.11, §4.1.2).
//!
//! Knows nothing about which addresses exist or where they lead. Start at [`Address`]. Addresses in a site are read
//! strictly, by `parse`; those in an envelope generously, by `received`, and the generous form is also what travels
//! between our own programs. Everything here is ASCII: SMTPUTF8 (RFC 6531) is not offered, so a non-ASCII address never
//! enters.

mod domain;
mod local_part;
mod path;
mod received;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use domain::Domain;
pub use local_part::LocalPart;
pub use path::ReversePath;

/// A mailbox address: `local-part@domain`, unquoted inside, quoted again by [`fmt::Display`] where RFC 5321 §4.1.2
/// demands it. At most 254 octets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    local: LocalPart,
    domain: Domain,
}

impl Address {
    /// Joins a local part and a domain.
    #[must_use]
    pub const fn new(local: LocalPart, domain: Domain) -> Self {
        Self { local, domain }
    }

    /// The part before the `@`, without quotes, case kept as written.
    #[must_use]
    pub const fn local(&self) -> &LocalPart {
        &self.local
    }

    /// The part after the `@`, in lower case.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The form in which two addresses are compared: all lower case, unquoted. Our mailboxes ignore case, as qmail's
    /// do.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.as_str().to_ascii_lowercase(), self.domain)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// `Mailbox = Local-part "@" Domain` (RFC 5321 §4.1.2); address literals are refused.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let at = text.rfind('@').ok_or_else(|| AddressError::new(text, "has no @"))?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        Self { local: local.parse()?, domain: domain.parse()? }.within_limit(text)
    }
}

impl Address {
    /// Checks RFC 5321 §4.5.3.1.3: a path is at most 256 octets with its brackets.
    pub(crate) fn within_limit(self, text: &str) -> Result<Self, AddressError> {
        if self.local.as_str().len() + 1 + self.domain.as_str().len() > 254 {
            return Err(AddressError::new(text, "is longer than 254 octets"));
        }
        Ok(self)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::received(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

/// Why a text is no address. The message reads as a sentence after the quoted text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {problem}")]
pub struct AddressError {
    /// The refused text, as it was written.
    pub text: String,
    /// The mistake, as the end of a sentence: "has no @", "has an empty label".
    pub problem: &'static str,
}

impl AddressError {
    pub(crate) fn new(text: &str, problem: &'static str) -> Self {
        Self { text: text.to_owned(), problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, printed: Option<&str>) {
        let parsed = text.parse::<Address>();
        assert_eq!(parsed.as_ref().ok().map(ToString::to_string).as_deref(), printed, "{text:?} gave {parsed:?}");
    }

    #[test]
    fn addresses_are_parsed_and_printed_in_one_form() {
        check("ada@Example.ORG", Some("ada@example.org"));
        check("Ada.Lovelace@example.org", Some("Ada.Lovelace@example.org"));
        check("\"a b\"@example.org", Some("\"a b\"@example.org"));
        check("\"plain\"@example.org", Some("plain@example.org"));
        check("\"a\\\"b\"@example.org", Some("\"a\\\"b\"@example.org"));
        check("a+tag=x@example.org", Some("a+tag=x@example.org"));
        check("ada@localhost", Some("ada@localhost"));
        for bad in ["", "ada", "@x.org", "ada@", "a..b@x.org", ".a@x.org", "a b@x.org", "ada@-x.org", "ada@x..org"] {
            check(bad, None);
        }
        check("ada@[127.0.0.1]", None);
        check("gr\u{fc}n@example.org", None);
        check(&format!("{}@example.org", "a".repeat(65)), None);
        check("a\r\nb@example.org", None);
        check("\"a\nb\"@example.org", None);
    }

    #[test]
    fn keys_ignore_case() {
        let address: Address = "Ada.L@Example.org".parse().unwrap();
        assert_eq!(address.key(), "ada.l@example.org");
    }
}
