//! `tls`: certificates and versions.

use crate::Placed;

/// Encryption of connections.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Where the certificate comes from.
    pub certificate: Placed<Certificate>,
    /// The oldest version spoken.
    pub minimum: Placed<TlsVersion>,
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The node makes one, which nobody else vouches for.
    SelfSigned,
    /// The node asks a certificate authority for it (RFC 8555).
    Acme {
        /// Whom the authority writes to.
        email: Placed<String>,
        /// The authority's directory, a URL.
        directory: String,
        /// Whether the person agreed to the authority's terms.
        agree: Placed<bool>,
    },
    /// It is given.
    Own {
        /// The name of the secret that is its key.
        secret: Placed<String>,
        /// The file beside the site, and its content in PEM.
        chain: Placed<String>,
        /// Content of the file.
        pem: Vec<u8>,
    },
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}
