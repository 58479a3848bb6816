//! A connection to a server that is plain or encrypted, and may become encrypted.

use std::io;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection in one of its three states.
pub(super) enum Wire {
    /// In the clear.
    Plain(TcpStream),
    /// Encrypted, by TLS.
    Encrypted(Box<TlsStream<TcpStream>>),
    /// Lost in a handshake.
    Gone,
}

impl Wire {
    /// Begins TLS with the server of this name.
    pub(super) async fn encrypt(&mut self, connector: &TlsConnector, name: &str) -> io::Result<()> {
        let Self::Plain(stream) = std::mem::replace(self, Self::Gone) else { return Err(gone()) };
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        *self = Self::Encrypted(Box::new(connector.connect(name, stream).await?));
        Ok(())
    }

    /// Reads some octets; 0 at the end.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer).await,
            Self::Encrypted(stream) => stream.read(buffer).await,
            Self::Gone => Err(gone()),
        }
    }

    /// Writes all of the octets.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Encrypted(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Self::Gone => Err(gone()),
        }
    }

    /// Tells the server that nothing more comes.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown().await,
            Self::Encrypted(stream) => stream.shutdown().await,
            Self::Gone => Ok(()),
        }
    }

    /// Version and cipher suite, for the log: `TLSv1_3/TLS13_AES_256_GCM_SHA384`.
    pub(super) fn cipher(&self) -> String {
        let Self::Encrypted(stream) = self else { return "none".to_owned() };
        let (_, connection) = stream.get_ref();
        let version = connection.protocol_version().and_then(|version| version.as_str());
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        format!("{}/{}", version.unwrap_or("?"), suite.unwrap_or("?"))
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}
