//! TLS as a client. Opportunistic (RFC 7435) for mail exchangers: encryption against listeners, no proof of who the
//! peer is, because MX names come from unsigned DNS and a refused certificate would only mean plain text. Proven for a
//! server that is told a password.

use std::sync::Arc;

use postkiln_control::KeyDigest;
use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

/// The connector for any server.
pub(crate) fn connector() -> Result<TlsConnector, rustls::Error> {
    verified_by(|provider| Arc::new(KeyHolder { provider, key: None }))
}

/// The connector for a server that must have this key; without one, a public authority (Mozilla's list) must vouch
/// for its name.
pub(crate) fn proven(key: Option<KeyDigest>) -> Result<TlsConnector, rustls::Error> {
    if key.is_some() {
        return verified_by(|provider| Arc::new(KeyHolder { provider, key }));
    }
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn verified_by(verifier: impl FnOnce(Arc<CryptoProvider>) -> Arc<KeyHolder>) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier(provider))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Takes a certificate whose key the peer really has: any, or one key alone, whatever else the certificate says (as RFC
/// 7671 §5.1 has it for a pinned key).
#[derive(Debug)]
struct KeyHolder {
    provider: Arc<CryptoProvider>,
    key: Option<KeyDigest>,
}

impl ServerCertVerifier for KeyHolder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(KeyDigest(wanted)) = self.key else { return Ok(ServerCertVerified::assertion()) };
        let key = ParsedCertificate::try_from(leaf)?.subject_public_key_info();
        if digest(&SHA256, &key).as_ref() == wanted {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
