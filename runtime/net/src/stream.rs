//! A connection that is plain or encrypted, and may become encrypted.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::tls::ServerTls;

/// One connection with a client.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    // TLS state is two kilobytes; a plain connection need not carry it.
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Begins TLS; on an encrypted connection an error.
    pub(crate) async fn encrypt(self, tls: &ServerTls) -> io::Result<Self> {
        match self {
            Self::Plain(plain) => Ok(Self::Encrypted(Box::new(tls.begin(plain).await?))),
            Self::Encrypted(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    /// Reads some octets; 0 at the end.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer).await,
            // Many clients just hang up. A session notices data that an attacker cut off: no protocol here takes the
            // end of the connection for the end of a message.
            Self::Encrypted(stream) => match stream.read(buffer).await {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            },
        }
    }

    /// Writes all of the octets.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Encrypted(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Tells the peer that no more octets will come.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown().await,
            Self::Encrypted(stream) => stream.shutdown().await,
        }
    }
}
