//! TLS as a server whose private key is elsewhere: `keyd` signs each handshake.
//!
//! rustls asks for a signature in the middle of a handshake and cannot wait for one otherwise than by blocking. So
//! every step of a handshake is made on another thread than the role's loop, at most [`AT_ONCE`] at a time: a `keyd`
//! that hangs keeps handshakes waiting, and nobody else.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use postkiln_ipc::keys::{self, Certificate, Fingerprint};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, SignatureAlgorithm, SignatureScheme};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Everything needed to begin TLS on a connection. Cheap to clone.
#[derive(Clone)]
pub struct ServerTls {
    acceptor: TlsAcceptor,
    steps: Arc<Semaphore>,
}

impl ServerTls {
    /// Prepares to show a certificate and to let `keyd` sign for it. TLS 1.2 and 1.3 (RFC 8996 forbids older versions).
    ///
    /// # Errors
    /// When the certificate cannot be used.
    pub fn new(keyd: keys::Client, certificate: Certificate) -> Result<Self, rustls::Error> {
        let Certificate { fingerprint, chain, schemes } = certificate;
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let schemes = schemes.into_iter().map(SignatureScheme::from).collect();
        let key = Arc::new(CertifiedKey::new(chain, Arc::new(KeyElsewhere { keyd, fingerprint, schemes })));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        let steps = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), steps })
    }

    /// Makes the handshake with a client.
    pub(crate) async fn begin(&self, plain: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        tokio::time::timeout(HANDSHAKE, async {
            // A client that says nothing yet costs no thread.
            plain.readable().await?;
            aside(self.acceptor.accept(plain), &self.steps).await?
        })
        .await?
    }
}

/// Drives a future whose steps may block: each is made on another thread, one of a few.
async fn aside<F>(mut future: F, steps: &Arc<Semaphore>) -> io::Result<F::Output>
where
    F: Future<Output: Send> + Unpin + Send + 'static,
{
    let woken = Arc::new(Woken(Notify::new()));
    loop {
        let step = steps.clone().acquire_owned().await.map_err(io::Error::other)?;
        let waker = Waker::from(woken.clone());
        let stepped = tokio::task::spawn_blocking(move || {
            let polled = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
            // The permit is held until the step is over, even when nobody waits for it any more.
            drop(step);
            (future, polled)
        });
        let (back, polled) = stepped.await?;
        future = back;
        match polled {
            Poll::Ready(output) => return Ok(output),
            Poll::Pending => woken.0.notified().await,
        }
    }
}

/// Remembers that the future can make its next step.
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTls(…)")
    }
}

/// A private key that is behind a door.
#[derive(Debug)]
struct KeyElsewhere {
    keyd: keys::Client,
    fingerprint: Fingerprint,
    schemes: Vec<SignatureScheme>,
}

impl SigningKey for KeyElsewhere {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = *self.schemes.iter().find(|scheme| offered.contains(scheme))?;
        Some(Box::new(SignatureElsewhere { keyd: self.keyd.clone(), fingerprint: self.fingerprint, scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.schemes.first().map_or(SignatureAlgorithm::ECDSA, |scheme| scheme_algorithm(*scheme))
    }
}

/// A signature that `keyd` will make.
#[derive(Debug)]
struct SignatureElsewhere {
    keyd: keys::Client,
    fingerprint: Fingerprint,
    scheme: SignatureScheme,
}

impl Signer for SignatureElsewhere {
    /// Blocks this thread, which is not the role's loop, until `keyd` has signed or lets it wait too long.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signed = self.keyd.sign_blocking(self.fingerprint, self.scheme.into(), message);
        signed.map_err(|error| rustls::Error::General(error.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

fn scheme_algorithm(scheme: SignatureScheme) -> SignatureAlgorithm {
    match scheme {
        SignatureScheme::ED25519 => SignatureAlgorithm::ED25519,
        SignatureScheme::RSA_PKCS1_SHA256
        | SignatureScheme::RSA_PKCS1_SHA384
        | SignatureScheme::RSA_PKCS1_SHA512
        | SignatureScheme::RSA_PSS_SHA256
        | SignatureScheme::RSA_PSS_SHA384
        | SignatureScheme::RSA_PSS_SHA512 => SignatureAlgorithm::RSA,
        _ => SignatureAlgorithm::ECDSA,
    }
}

/// The longest time that a client may take for its side of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// The number of steps of handshakes that are made at a time. They take threads that a role's disk work needs as well.
const AT_ONCE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A future that blocks its thread at every step until it is told to go on.
    struct Blocking(mpsc::Receiver<bool>);

    impl Future for Blocking {
        type Output = ();

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            if self.0.recv().unwrap() {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }

    #[test]
    fn steps_that_block_hold_up_each_other_and_not_the_loop() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tokio::task::LocalSet::new().run_until(async {
            let steps = Arc::new(Semaphore::new(1));
            let (go_on, first) = mpsc::channel();
            let (go_on_later, second) = mpsc::channel();
            let waits = |blocking| {
                let steps = steps.clone();
                tokio::task::spawn_local(async move { aside(Blocking(blocking), &steps).await.unwrap() })
            };
            let (first, second) = (waits(first), waits(second));
            while steps.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            // The loop still runs and does all work that is not blocked.
            tokio::task::spawn_blocking(|| ()).await.unwrap();
            assert!(!first.is_finished() && !second.is_finished());
            for is_over in [false, true] {
                go_on.send(is_over).unwrap();
                go_on_later.send(is_over).unwrap();
            }
            first.await.unwrap();
            second.await.unwrap();
        }));
    }
}
