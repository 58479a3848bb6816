//! TLS as a server whose private key is elsewhere: `keyd` signs each handshake.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use postkiln_ipc::keys::{Reply, Request};
use postkiln_ipc::{Channel, ChannelError, Door};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, SignatureAlgorithm, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is needed to begin TLS on a connection. Cheap to clone.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl ServerTls {
    /// Asks `keyd` for the certificate and prepares to have it sign. TLS 1.2 and 1.3 (RFC 8996 forbids what is older).
    ///
    /// # Errors
    /// When `keyd` does not answer or its certificate cannot be used.
    pub async fn from_keyd(door: Arc<Door>) -> Result<Self, TlsError> {
        let mut channel: Channel<Request, Reply> = door.open().map_err(ChannelError::from)?;
        let (chain, schemes) = match channel.ask(&Request::Chain).await? {
            Reply::Chain(chain, schemes) => (chain, schemes),
            Reply::Failed(problem) => return Err(TlsError::Keyd(problem)),
            Reply::Signature(_) => return Err(TlsError::Keyd("a signature where a chain was asked for".to_owned())),
        };
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let schemes = schemes.into_iter().map(SignatureScheme::from).collect();
        let key = Arc::new(CertifiedKey::new(chain, Arc::new(KeyElsewhere { door, schemes })));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Does the handshake.
    pub(crate) async fn begin(&self, plain: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        tokio::time::timeout(HANDSHAKE, self.0.accept(plain)).await?
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTls(…)")
    }
}

/// Why TLS cannot be offered now.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TlsError {
    #[error("keyd does not answer")]
    Channel(#[from] ChannelError),
    #[error("keyd has no certificate: {0}")]
    Keyd(String),
    #[error("the certificate cannot be used")]
    Rustls(#[from] rustls::Error),
}

/// A private key behind a door.
#[derive(Debug)]
struct KeyElsewhere {
    door: Arc<Door>,
    schemes: Vec<SignatureScheme>,
}

impl SigningKey for KeyElsewhere {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = *self.schemes.iter().find(|scheme| offered.contains(scheme))?;
        Some(Box::new(SignatureElsewhere { door: self.door.clone(), scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.schemes.first().map_or(SignatureAlgorithm::ECDSA, |scheme| scheme_algorithm(*scheme))
    }
}

/// One signature to come.
#[derive(Debug)]
struct SignatureElsewhere {
    door: Arc<Door>,
    scheme: SignatureScheme,
}

impl Signer for SignatureElsewhere {
    /// Blocks this thread until `keyd` has signed: rustls asks in the middle of a handshake and cannot wait otherwise.
    /// A signature takes less than a millisecond; a `keyd` that is down costs [`PATIENCE`] once.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let ask = || -> Result<Reply, ChannelError> {
            let mut channel = self.door.open_blocking::<Request, Reply>()?;
            channel.stream().set_read_timeout(Some(PATIENCE))?;
            channel.stream().set_write_timeout(Some(PATIENCE))?;
            channel.send(&Request::Sign { scheme: u16::from(self.scheme), message: message.to_vec() }, None)?;
            Ok(channel.receive()?.ok_or(ChannelError::Cut)?.0)
        };
        match ask() {
            Ok(Reply::Signature(signature)) => Ok(signature),
            Ok(Reply::Failed(problem)) => Err(rustls::Error::General(problem)),
            Ok(Reply::Chain(..)) => Err(rustls::Error::General("keyd did not sign".to_owned())),
            Err(error) => Err(rustls::Error::General(format!("keyd: {error}"))),
        }
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

fn scheme_algorithm(scheme: SignatureScheme) -> SignatureAlgorithm {
    match scheme {
        SignatureScheme::ED25519 => SignatureAlgorithm::ED25519,
        SignatureScheme::RSA_PKCS1_SHA256 | SignatureScheme::RSA_PSS_SHA256 => SignatureAlgorithm::RSA,
        _ => SignatureAlgorithm::ECDSA,
    }
}

/// How long a client may take for its side of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// How long `keyd` may take; it is started again within a second when it died.
const PATIENCE: Duration = Duration::from_secs(3);
