//! To `keyd`: certificates and signatures. Private keys never leave it.

use serde::{Deserialize, Serialize};

/// What a caller asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The certificate chain for TLS, leaf first, DER.
    Chain,
    /// A TLS signature over `message` with this scheme's code point (RFC 8446 §4.2.3).
    Sign {
        /// The scheme.
        scheme: u16,
        /// What is signed; at most a few hundred octets.
        message: Vec<u8>,
    },
}

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Leaf first, DER; and the schemes that the key can sign with, best first.
    Chain(Vec<Vec<u8>>, Vec<u16>),
    /// The signature.
    Signature(Vec<u8>),
    /// It cannot be done.
    Failed(String),
}
