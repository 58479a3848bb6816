//! [`Signing`]: a private key for TLS with its certificate. Knows neither where they come from nor who asks.

use std::fmt;

use postkiln_ipc::keys::{Certificate, Fingerprint};
use ring::digest::{SHA256, digest};
use rustls::SignatureScheme;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

/// A key that signs handshakes, and the certificate that goes with it.
pub(super) struct Signing {
    key: CertifiedKey,
    fingerprint: Fingerprint,
}

/// Why octets cannot be used for TLS. No variant quotes any of them.
#[derive(Debug, thiserror::Error)]
pub(super) enum SigningError {
    /// The text of the certificate is no PEM, or has no certificate.
    #[error("it holds no certificate")]
    NoCertificate,
    /// The text of the key is no PKCS #8 in PEM.
    #[error("it holds no private key")]
    NoKey,
    /// A kind of key that cannot sign, or the key of another certificate.
    #[error("key and certificate cannot be used together")]
    Mismatch(#[source] rustls::Error),
    /// The key does not sign with this scheme, or cannot now.
    #[error("the key does not sign this")]
    Scheme,
}

impl Signing {
    /// Takes a chain, leaf first, and the leaf's key in PKCS #8, both PEM.
    pub(super) fn new(chain: &[u8], key: &str) -> Result<Self, SigningError> {
        let chain = self::chain(chain)?;
        let fingerprint = fingerprint(chain.first().ok_or(SigningError::NoCertificate)?);
        let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).map_err(|_| SigningError::NoKey)?;
        let key = CertifiedKey::from_der(chain, PrivateKeyDer::Pkcs8(key), &default_provider());
        Ok(Self { key: key.map_err(SigningError::Mismatch)?, fingerprint })
    }

    /// The name of the certificate in questions.
    pub(super) const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The certificate for those who show it.
    pub(super) fn certificate(&self) -> Certificate {
        let is_known = |scheme: &&SignatureScheme| self.key.key.choose_scheme(&[**scheme]).is_some();
        Certificate {
            fingerprint: self.fingerprint,
            chain: self.key.cert.iter().map(|one| one.to_vec()).collect(),
            schemes: SCHEMES.iter().filter(is_known).map(|scheme| u16::from(*scheme)).collect(),
        }
    }

    /// A signature in the form of its scheme.
    pub(super) fn sign(&self, scheme: u16, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signer = self.key.key.choose_scheme(&[SignatureScheme::from(scheme)]).ok_or(SigningError::Scheme)?;
        signer.sign(message).map_err(|_| SigningError::Scheme)
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signing(…)")
    }
}

/// The certificates of a text in PEM, in its order.
pub(super) fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SigningError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    chain.ok().filter(|chain| !chain.is_empty()).ok_or(SigningError::NoCertificate)
}

fn fingerprint(leaf: &[u8]) -> Fingerprint {
    // SHA-256 has 32 octets.
    Fingerprint(digest(&SHA256, leaf).as_ref().try_into().unwrap_or_default())
}

/// All schemes for which `ring` signs (RFC 8446 §4.2.3), best first; a key signs with those of its kind.
const SCHEMES: [SignatureScheme; 9] = [
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA256,
];
