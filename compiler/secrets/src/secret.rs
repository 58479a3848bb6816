//! A value that is never shown: no `Debug`, no `Display`, cleared from memory when it is dropped.

use rand_core::CryptoRngCore;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::SecretsError;

/// The text of a secret, zeroed when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text that is already known to be a valid value.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Reads a value as it comes from a file or a pipe: text, without the line end that editors and `echo` put after
    /// it.
    ///
    /// # Errors
    /// When the octets are empty, no text, or more than any secret has.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretsError> {
        let text = std::str::from_utf8(&bytes).map_err(|_| SecretsError::Value("must be text in UTF-8"))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        match text.len() {
            0 => Err(SecretsError::Value("cannot be empty")),
            1..=LONGEST => Ok(Self::new(text.to_owned())),
            _ => Err(SecretsError::Value("has at most 64 KiB")),
        }
    }

    /// The text itself, for the code that uses the secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A random password: 26 letters and digits that cannot be mistaken for one another, 130 bits.
pub fn password(chance: &mut impl CryptoRngCore) -> Secret {
    let mut bytes = Zeroizing::new([0_u8; 26]);
    chance.fill_bytes(bytes.as_mut_slice());
    // 256 is a multiple of 32, so each letter is equally likely.
    let letter = |byte: &u8| char::from(LETTERS.get(usize::from(byte % 32)).copied().unwrap_or_default());
    Secret::new(bytes.iter().map(letter).collect())
}

/// The alphabet of the passwords that `postkiln new` makes; characters that look alike are left out.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const LONGEST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Option<&str>) {
        let secret = Secret::from_bytes(Zeroizing::new(bytes.to_vec())).ok();
        assert_eq!(secret.as_ref().map(Secret::expose), expected);
    }

    #[test]
    fn one_line_end_is_not_part_of_a_value() {
        check(b"hunter2\n", Some("hunter2"));
        check(b"hunter2\r\n", Some("hunter2"));
        check(b"two\nlines\n\n", Some("two\nlines\n"));
        check(b" spaces ", Some(" spaces "));
        check(b"\n", None);
        check(b"", None);
        check(b"\xff", None);
        check(&vec![b'x'; LONGEST + 1], None);
    }
}
