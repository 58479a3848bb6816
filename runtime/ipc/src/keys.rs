//! To `keyd`: certificates, signatures, and secrets in the form that the caller is to have them. Private keys never
//! leave it. [`Client`] is the caller's side.

mod client;

use postkiln_handover::Hidden;
use serde::{Deserialize, Serialize};

pub use client::{Client, Unavailable};

/// A caller's question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The certificate for TLS, as soon as there is another one than the named; at once where none is named.
    Certificate(Option<Fingerprint>),
    /// A signature for TLS with the key of this certificate.
    Sign {
        /// The certificate that the client of the handshake was shown.
        certificate: Fingerprint,
        /// The code point of the signature scheme (RFC 8446 §4.2.3).
        scheme: u16,
        /// The text to sign, at most a few hundred octets.
        message: Vec<u8>,
    },
    /// The hashes of people's passwords: of each the secret's name and version; at most [`HASHES`]. For `directoryd`.
    Hashes(Vec<(String, String)>),
    /// The password at the smarthost, by the secret's name. For `remote`.
    Smarthost(String),
}

/// The reply to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The certificate in force.
    Certificate(Certificate),
    /// The signature in the form of its scheme.
    Signature(Vec<u8>),
    /// In the order of the question, in crypt form; `None`: that version of the secret was not delivered
    /// for this purpose.
    Hashes(Vec<Option<Hidden>>),
    /// A password; `None`: the secret was not delivered for this purpose.
    Password(Option<Hidden>),
    /// The question cannot be answered; the text says why.
    Failed(String),
}

/// A certificate and how its key signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The name of the certificate in later questions.
    pub fingerprint: Fingerprint,
    /// The certificate and those above it, leaf first, DER.
    pub chain: Vec<Vec<u8>>,
    /// Code points of the signature schemes of the key, best first (RFC 8446 §4.2.3).
    pub schemes: Vec<u16>,
}

/// The SHA-256 of a certificate in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 32]);

/// Hashes in one question: each that was never made takes a core for a moment.
pub const HASHES: usize = 32;
