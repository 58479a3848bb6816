//! Types of the section `tls`.

use serde::{Deserialize, Serialize};

use crate::Placed;

/// Certificates, and the oldest version of TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The source of the certificate.
    pub certificate: Placed<Certificate>,
    /// The oldest version of TLS that is spoken.
    pub minimum: Placed<TlsVersion>,
}

/// The source of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The node makes one, which nobody else vouches for.
    SelfSigned,
    /// The node asks a certificate authority for it (RFC 8555).
    Acme {
        /// The address that the authority writes to.
        email: Placed<String>,
        /// The authority's directory, a URL.
        directory: String,
        /// Whether the person agreed to the authority's terms.
        agree: Placed<bool>,
    },
    /// The person gives the certificate.
    Own {
        /// The name of the secret that is the private key.
        secret: Placed<String>,
        /// The path of the file with the certificate chain, beside the site.
        chain: Placed<String>,
        /// The content of that file, PEM.
        pem: Vec<u8>,
    },
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}
