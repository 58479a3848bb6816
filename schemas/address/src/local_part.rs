//! The part of an address before the `@` (RFC 5321 §4.1.2).

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::AddressError;

/// A local part without its quotes: 1 to 64 printable ASCII octets or spaces (RFC 5321 §4.5.3.1.1), case kept. A local
/// part from an envelope may be longer: see [`LocalPart::received`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalPart(Box<str>);

impl LocalPart {
    /// Takes the unquoted value.
    ///
    /// # Errors
    /// When the text is empty, over 64 octets, or holds a control or non-ASCII character.
    pub fn new(text: &str) -> Result<Self, AddressError> {
        Self::of_length(text, LONGEST)
    }

    /// Takes the unquoted value when it has at most `longest` octets.
    pub(crate) fn of_length(text: &str, longest: usize) -> Result<Self, AddressError> {
        check(text, longest)?;
        Ok(Self(text.into()))
    }

    /// The unquoted value, case kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which our mailboxes are declared: they ignore case, as qmail's do.
    #[must_use]
    pub fn into_lower_case(mut self) -> Self {
        self.0.make_ascii_lowercase();
        self
    }

    /// The same of a copy.
    #[must_use]
    pub fn to_lower_case(&self) -> Self {
        self.clone().into_lower_case()
    }
}

impl FromStr for LocalPart {
    type Err = AddressError;

    /// `Local-part = Dot-string / Quoted-string`, as it stands on the wire.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(inner) = inside_quotes(text) {
            return Self::new(&unquote(text, inner)?);
        }
        if is_dot_string(text) || text.is_empty() || !text.is_ascii() {
            return Self::new(text);
        }
        let problem = if text.split('.').any(str::is_empty) {
            "begins or ends with a dot, or has two in a row"
        } else {
            "has a local part that needs quotes"
        };
        Err(AddressError::new(text, problem))
    }
}

/// Local parts are ordered like their text, so a map can be searched by `&str` without making a key.
impl Borrow<str> for LocalPart {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.0) {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

impl TryFrom<String> for LocalPart {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::of_length(&text, LONGEST_RECEIVED)
    }
}

impl From<LocalPart> for String {
    fn from(local: LocalPart) -> Self {
        local.0.into()
    }
}

fn check(text: &str, longest: usize) -> Result<(), AddressError> {
    if text.is_empty() || text.len() > longest {
        let problem = if longest == LONGEST {
            "has a local part that is not 1 to 64 octets long"
        } else {
            "has a local part that is not 1 to 254 octets long"
        };
        return Err(AddressError::new(text, problem));
    }
    if !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(AddressError::new(text, "has a control or non-ASCII character"));
    }
    Ok(())
}

/// The part between the quotes of a text that begins and ends with one.
pub(crate) fn inside_quotes(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// `QcontentSMTP = qtextSMTP / quoted-pairSMTP`.
pub(crate) fn unquote(whole: &str, inner: &str) -> Result<String, AddressError> {
    let mut value = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => value.push(chars.next().ok_or_else(|| AddressError::new(whole, "ends inside its quotes"))?),
            '"' => return Err(AddressError::new(whole, "has a bare quote inside its quotes")),
            other => value.push(other),
        }
    }
    Ok(value)
}

/// `Dot-string = Atom *("." Atom)` with `atext` of RFC 5322 §3.2.3.
fn is_dot_string(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || ATEXT.contains(&b)))
}

const ATEXT: &[u8] = b"!#$%&'*+-/=?^_`{|}~";

/// The limit of RFC 5321 §4.5.3.1.1, in octets.
const LONGEST: usize = 64;
/// The limit in an envelope, in octets: a longer local part fits into no path.
pub(crate) const LONGEST_RECEIVED: usize = 254;
