//! [`Delivery`]: names, versions, purposes and values of secrets, and the octets that they travel as.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Hidden;

/// All secrets that a site uses, as far as the operator can open them. Takes the place of what the node
/// was given before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The secrets by name.
    pub secrets: BTreeMap<String, Delivered>,
}

/// One secret of the delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Sixteen hexadecimal digits: another one whenever anything about the secret changed.
    pub version: String,
    /// The only purposes that it may be used for.
    pub purposes: BTreeSet<Purpose>,
    /// The secret part.
    pub value: Value,
}

/// The purpose of a secret. Each has one role that may have it, in one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// People's passwords: `directoryd` gets a hash.
    Login,
    /// The login at the smarthost: `remote` gets the password.
    Smarthost,
    /// The login at the user database: `directoryd` gets the password.
    Database,
    /// Mail is signed with it: it stays in `keyd`.
    Dkim,
    /// The key of the site's certificate: it stays in `keyd`.
    Tls,
}

/// The value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// A password, or another text.
    Text(Hidden),
    /// A private key for TLS: PKCS #8 in PEM.
    TlsKey(Hidden),
    /// Keys for DKIM in the order of their numbers.
    Dkim(Vec<DkimKey>),
}

/// A DKIM key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimKey {
    /// Tells selectors apart.
    pub number: u32,
    /// Whether it is the one that signs.
    pub signs: bool,
    /// PKCS #8 in PEM.
    pub private: Hidden,
}

impl Delivery {
    /// Octets of a delivery, at most: 100,000 passwords are a tenth of it.
    pub const LIMIT: u64 = 64 << 20;

    /// The octets. They hold the values.
    ///
    /// # Errors
    /// When the delivery is over [`Self::LIMIT`].
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, DeliveryError> {
        // Room at once: a vector that grows leaves copies behind.
        let length = postcard::experimental::serialized_size(self).map_err(|_| DeliveryError::Malformed)?;
        let mut bytes = Zeroizing::new(vec![0; HEAD.len() + length]);
        bytes[..HEAD.len()].copy_from_slice(HEAD);
        postcard::to_slice(self, &mut bytes[HEAD.len()..]).map_err(|_| DeliveryError::Malformed)?;
        if bytes.len() as u64 > Self::LIMIT { Err(DeliveryError::TooLarge) } else { Ok(bytes) }
    }

    /// Reads the octets. A message about what is wrong with them quotes none.
    ///
    /// # Errors
    /// When they are no delivery, or one of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DeliveryError> {
        let content = bytes.strip_prefix(HEAD).ok_or(DeliveryError::Malformed)?;
        match postcard::take_from_bytes(content) {
            Ok((delivery, [])) => Ok(delivery),
            _ => Err(DeliveryError::Malformed),
        }
    }
}

/// Why octets are no delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Something else, or another version of the format.
    #[error("the delivery of secrets is malformed, or made by another version")]
    Malformed,
    /// Over [`Delivery::LIMIT`].
    #[error("the delivery of secrets is too large")]
    TooLarge,
}

const HEAD: &[u8] = b"postkiln secrets 1\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery() -> Delivery {
        let text = |text: &str| Hidden::new(text.to_owned());
        let one = |purpose, value| Delivered { version: "27a9d7b2cad8ed51".into(), purposes: [purpose].into(), value };
        let dkim = Value::Dkim(vec![DkimKey { number: 2, signs: true, private: text("hunter3") }]);
        Delivery {
            secrets: BTreeMap::from([
                ("grace".to_owned(), one(Purpose::Login, Value::Text(text("hunter2")))),
                ("dkim.example.org".to_owned(), one(Purpose::Dkim, dkim)),
            ]),
        }
    }

    #[test]
    fn what_is_delivered_arrives_and_is_not_shown() {
        let bytes = delivery().to_bytes().unwrap();
        assert_eq!(Delivery::from_bytes(&bytes), Ok(delivery()));
        let shown = format!("{:?}", delivery());
        assert!(shown.contains("grace") && !shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn anything_else_is_refused() {
        let bytes = delivery().to_bytes().unwrap();
        for wrong in [&b""[..], b"postkiln", &bytes[1..], &bytes[..bytes.len() - 1], &[&bytes[..], b"x"].concat()] {
            assert_eq!(Delivery::from_bytes(wrong), Err(DeliveryError::Malformed));
        }
    }
}
