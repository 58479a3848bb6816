//! [`Client`]: the caller's side of the conversations with `keyd`.

use std::sync::Arc;
use std::time::Duration;

use postkiln_handover::Hidden;

use super::{Certificate, Fingerprint, HASHES, Reply, Request};
use crate::again::{Line, again_blocking};
use crate::{BlockingChannel, ChannelError, Door};

/// Asks `keyd`; each question is a conversation of its own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client(Arc<Door>);

/// Why there is no answer now.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// `keyd` cannot or will not.
    #[error("keyd: {0}")]
    Refused(String),
    /// `keyd` does not answer in time.
    #[error("keyd does not answer")]
    Silent(#[from] ChannelError),
}

impl Client {
    /// Asks nothing yet.
    #[must_use]
    pub const fn new(door: Arc<Door>) -> Self {
        Self(door)
    }

    /// The certificate in force.
    ///
    /// # Errors
    /// When there is none, or no answer in time.
    pub async fn certificate(&self) -> Result<Certificate, Unavailable> {
        let reply = self.line().ask_within(FIRST, &Request::Certificate(None)).await?;
        certificate(reply)
    }

    /// Waits, for as long as it takes, until another certificate than this one is in force.
    ///
    /// # Errors
    /// When there is none, or `keyd` goes away and does not come back.
    pub async fn next_certificate(&self, known: Fingerprint) -> Result<Certificate, Unavailable> {
        let reply = self.line().ask(&Request::Certificate(Some(known))).await?;
        certificate(reply)
    }

    /// A signature for TLS in the form of its scheme. Blocks the thread: for rustls, which asks in the middle
    /// of a handshake.
    ///
    /// # Errors
    /// When the text is no part of a handshake, the certificate is gone, or there is no answer in time.
    pub fn sign_blocking(&self, certificate: Fingerprint, scheme: u16, message: &[u8]) -> Result<Vec<u8>, Unavailable> {
        let question = Request::Sign { certificate, scheme, message: message.to_vec() };
        let reply = again_blocking(|| -> Result<Reply, ChannelError> {
            let mut channel: BlockingChannel<Request, Reply> = self.0.open_blocking()?;
            channel.stream().set_read_timeout(Some(SIGNATURE))?;
            channel.stream().set_write_timeout(Some(SIGNATURE))?;
            channel.send(&question, None)?;
            Ok(channel.receive()?.ok_or(ChannelError::Cut)?.0)
        });
        match reply? {
            Reply::Signature(signature) => Ok(signature),
            other => Err(unavailable(other)),
        }
    }

    /// The hashes of people's passwords, by name and version of each secret, in their order; `None`: that version was
    /// not delivered for this purpose.
    ///
    /// # Errors
    /// When the caller is not to have them, or there is no answer in time.
    pub async fn hashes(&self, wanted: &[(String, String)]) -> Result<Vec<Option<Hidden>>, Unavailable> {
        let (mut line, mut all) = (self.line(), Vec::with_capacity(wanted.len()));
        for some in wanted.chunks(HASHES) {
            match line.ask_within(HASHING, &Request::Hashes(some.to_vec())).await? {
                Reply::Hashes(hashes) if hashes.len() == some.len() => all.extend(hashes),
                other => return Err(unavailable(other)),
            }
        }
        Ok(all)
    }

    /// The password at the smarthost, by the secret's name; `None`: the secret was not delivered for this purpose.
    ///
    /// # Errors
    /// When the caller is not to have it, or there is no answer in time.
    pub async fn smarthost(&self, secret: &str) -> Result<Option<Hidden>, Unavailable> {
        match self.line().ask_within(FIRST, &Request::Smarthost(secret.to_owned())).await? {
            Reply::Password(password) => Ok(password),
            other => Err(unavailable(other)),
        }
    }

    fn line(&self) -> Line<Request, Reply> {
        Line::new(self.0.clone())
    }
}

fn certificate(reply: Reply) -> Result<Certificate, Unavailable> {
    match reply {
        Reply::Certificate(certificate) => Ok(certificate),
        other => Err(unavailable(other)),
    }
}

fn unavailable(reply: Reply) -> Unavailable {
    match reply {
        Reply::Failed(problem) => Unavailable::Refused(problem),
        _ => Unavailable::Silent(ChannelError::Malformed),
    }
}

/// On first boot `keyd` makes a key before it answers.
const FIRST: Duration = Duration::from_secs(10);
/// A signature takes less than a millisecond, and a `keyd` that died is there again within a second.
const SIGNATURE: Duration = Duration::from_secs(3);
/// For one answer: `keyd` may have to make every hash in it.
const HASHING: Duration = Duration::from_secs(15);
