//! The scanner, clamd, as its callers see it: where its socket is, and a message on its way through INSTREAM. Knows
//! nothing about what is done with a verdict. Start at [`Scan`].

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The verdict of clamd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The message holds no virus.
    Clean,
    /// A virus of this name.
    Infected(String),
}

/// Why there is no verdict: always a reason to defer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    /// The socket failed.
    #[error("clamd cannot be reached")]
    Io(#[from] io::Error),
    /// The scan took too long.
    #[error("clamd took too long")]
    Slow,
    /// Neither OK nor FOUND.
    #[error("clamd said {0:?}")]
    Said(String),
}

/// A message on its way through the scanner.
#[derive(Debug)]
pub(crate) struct Scan(UnixStream);

impl Scan {
    /// Begins a scan over the socket of clamd.
    pub(crate) async fn begin(socket: &Path) -> Result<Self, ScanError> {
        let mut stream = within(CONNECT, UnixStream::connect(socket)).await?;
        within(CONNECT, stream.write_all(b"zINSTREAM\0")).await?;
        Ok(Self(stream))
    }

    /// Hands on a piece.
    pub(crate) async fn content(&mut self, piece: &[u8]) -> Result<(), ScanError> {
        // A chunk of no octets would end the stream.
        if piece.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        let sent = async {
            self.0.write_all(&length.to_be_bytes()).await?;
            self.0.write_all(piece).await
        };
        match within(SCAN, sent).await {
            // clamd closes the connection when the message is over its limit, after saying so.
            Err(ScanError::Io(error)) => Err(self.reply().await.err().unwrap_or(ScanError::Io(error))),
            result => result,
        }
    }

    /// Ends the message and waits for the verdict.
    pub(crate) async fn finish(mut self) -> Result<Verdict, ScanError> {
        within(CONNECT, self.0.write_all(&[0; 4])).await?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<Verdict, ScanError> {
        let mut reply = Vec::new();
        within(SCAN, (&mut self.0).take(LONGEST).read_to_end(&mut reply)).await?;
        verdict(&reply)
    }
}

/// `stream: OK`, `stream: NAME FOUND`; whatever else it says is no verdict.
fn verdict(reply: &[u8]) -> Result<Verdict, ScanError> {
    let text = String::from_utf8_lossy(reply);
    let text = text.trim_end_matches(['\0', '\n']);
    match text.strip_prefix("stream: ") {
        Some("OK") => Ok(Verdict::Clean),
        Some(found) => match found.strip_suffix(" FOUND") {
            Some(name) => Ok(Verdict::Infected(name.to_owned())),
            None => Err(ScanError::Said(text.to_owned())),
        },
        None => Err(ScanError::Said(text.to_owned())),
    }
}

/// The socket that a `clamd.conf` names; the file speaks of `/data`, the directory of the machine.
pub(crate) fn socket_of(clamd_conf: &str, data: &Path) -> Option<PathBuf> {
    let line = clamd_conf.lines().find_map(|line| line.strip_prefix("LocalSocket "))?;
    let path = Path::new(line.trim());
    Some(path.strip_prefix("/data").map_or_else(|_| path.to_owned(), |rest| data.join(rest)))
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> Result<T, ScanError> {
    Ok(timeout(limit, work).await.map_err(|_| ScanError::Slow)??)
}

const CONNECT: Duration = Duration::from_secs(5);
/// Below the ten minutes that clients wait for the reply to DATA (RFC 5321 §4.5.3.2.6).
const SCAN: Duration = Duration::from_secs(180);
/// Octets of a reply.
const LONGEST: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reply: &str, expected: Option<Verdict>) {
        assert_eq!(verdict(reply.as_bytes()).ok(), expected, "{reply:?}");
    }

    #[test]
    fn only_two_replies_are_verdicts() {
        check("stream: OK\0", Some(Verdict::Clean));
        check("stream: Eicar-Test-Signature FOUND\0", Some(Verdict::Infected("Eicar-Test-Signature".to_owned())));
        check("INSTREAM size limit exceeded. ERROR\0", None);
        check("stream: Can't allocate memory ERROR\0", None);
        check("", None);
    }

    #[test]
    fn the_socket_is_where_the_data_is() {
        let data = Path::new("/tmp/node");
        let socket = |text: &str| socket_of(text, data);
        assert_eq!(socket("A b\nLocalSocket /data/run/clamd.sock\n"), Some("/tmp/node/run/clamd.sock".into()));
        assert_eq!(socket("LocalSocket /run/clamd.sock\n"), Some("/run/clamd.sock".into()));
        assert_eq!(socket("# LocalSocket /x\n"), None);
    }
}
