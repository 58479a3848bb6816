//! To `keyd`: certificates, signatures, and secrets in the form that the caller is to have them. Private keys never leave it.

use postkiln_handover::Hidden;
use serde::{Deserialize, Serialize};

/// A caller's question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The certificate chain for TLS, leaf first, DER.
    Chain,
    /// A TLS signature over `message` with this scheme's code point (RFC 8446 §4.2.3).
    Sign {
        /// The code point of the signature scheme.
        scheme: u16,
        /// The text to sign, at most a few hundred octets.
        message: Vec<u8>,
    },
    /// The hashes of people's passwords: of each the secret's name and version; at most [`HASHES`]. For `directoryd`.
    Hashes(Vec<(String, String)>),
}

/// Hashes in one question: each that was never made takes a core for a moment.
pub const HASHES: usize = 32;

/// The reply to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The certificates, leaf first, DER; and the schemes that the key can sign with, best first.
    Chain(Vec<Vec<u8>>, Vec<u16>),
    /// The signature in the form of its scheme.
    Signature(Vec<u8>),
    /// In the order of the question, in crypt form; `None`: that version of the secret was not delivered for this purpose.
    Hashes(Vec<Option<Hidden>>),
    /// The question cannot be answered; the text says why.
    Failed(String),
}
