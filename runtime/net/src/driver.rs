//! [`drive`]: one connection from its first octet to its last.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use postkiln_session::{Action, Session};
use tokio::net::TcpStream;

use crate::answers::Answers;
use crate::stream::Stream;
use crate::tls::ServerTls;

/// The beginning of a connection.
#[derive(Clone, Debug)]
pub enum Begin {
    /// Plain; TLS begins when the session asks for it and there is a certificate.
    Plain(Option<ServerTls>),
    /// A TLS handshake comes first.
    Tls(ServerTls),
}

/// The reason why a connection ended early, always the peer's doing or the network's.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum DriveError {
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
    #[error("the connection failed")]
    Connection(#[from] io::Error),
    #[error("the client did not read for too long")]
    Stuck,
}

/// Runs a session over a connection until either ends it or `stop` comes.
///
/// # Errors
/// When the connection breaks. Answers given to the session until then stand.
pub async fn drive<S: Session>(
    connection: TcpStream,
    begin: Begin,
    mut session: S,
    answers: &mut impl Answers<S>,
    stop: impl Future<Output = ()>,
) -> Result<(), DriveError> {
    // Replies are small and complete: waiting for more of them (Nagle) costs 40 ms each.
    connection.set_nodelay(true)?;
    let (stream, tls) = match begin {
        Begin::Plain(tls) => (Stream::Plain(connection), tls),
        Begin::Tls(tls) => (Stream::Plain(connection).encrypt(&tls).await.map_err(DriveError::Handshake)?, Some(tls)),
    };
    let mut driver = Driver { stream, tls, output: Vec::new() };
    let mut stop = pin!(stop);
    let mut stopping = false;
    let mut buffer = vec![0; READ];
    loop {
        let (next, closed) = driver.carry_out(&mut session, answers).await?;
        driver = next;
        if closed {
            return driver.close().await;
        }
        let deadline = session.deadline().unwrap_or_else(|| Instant::now() + FALLBACK);
        tokio::select! {
            read = driver.stream.read(&mut buffer), if session.wants_input() => match read? {
                0 => return Ok(()),
                length => session.receive(buffer.get(..length).unwrap_or_default(), Instant::now()),
            },
            () = tokio::time::sleep_until(deadline.into()) => session.expire(Instant::now()),
            () = &mut stop, if !stopping => {
                stopping = true;
                session.shut_down();
            }
        }
    }
}

/// A connection with the octets that are still to be written.
struct Driver {
    stream: Stream,
    tls: Option<ServerTls>,
    output: Vec<u8>,
}

impl Driver {
    /// Carries out the session's actions until there are none; `true` when it wants to close.
    async fn carry_out<S: Session>(
        mut self,
        session: &mut S,
        answers: &mut impl Answers<S>,
    ) -> Result<(Self, bool), DriveError> {
        while let Some(action) = session.next() {
            match action {
                Action::Send(bytes) => {
                    self.output.extend_from_slice(&bytes);
                    if self.output.len() >= FLUSH {
                        self.flush().await?;
                    }
                }
                Action::Ask(question) => {
                    // The client reads while we look: an answer may take long, and pipelined replies may be many.
                    self.flush().await?;
                    let answer = answers.answer(question).await;
                    session.answer(answer, Instant::now());
                }
                Action::Content(piece) => answers.content(piece).await,
                Action::Abort => answers.abort().await,
                Action::StartTls => {
                    self.flush().await?;
                    let Some(tls) = self.tls.clone() else { return Ok((self, true)) };
                    self.stream = self.stream.encrypt(&tls).await.map_err(DriveError::Handshake)?;
                    session.tls_started(Instant::now());
                }
                Action::Close => return Ok((self, true)),
            }
        }
        self.flush().await?;
        Ok((self, false))
    }

    async fn flush(&mut self) -> Result<(), DriveError> {
        if self.output.is_empty() {
            return Ok(());
        }
        let written = tokio::time::timeout(WRITE, self.stream.write(&self.output)).await;
        written.map_err(|_| DriveError::Stuck)??;
        self.output.clear();
        if self.output.capacity() > 2 * FLUSH {
            self.output = Vec::new();
        }
        Ok(())
    }

    /// Writes the rest and reads for a moment: a client that is still sending would get a reset, which takes the last
    /// reply with it.
    async fn close(mut self) -> Result<(), DriveError> {
        self.flush().await?;
        let linger = async {
            self.stream.finish().await?;
            let mut rest = vec![0; READ];
            for _ in 0..LINGER_READS {
                if self.stream.read(&mut rest).await? == 0 {
                    break;
                }
            }
            io::Result::Ok(())
        };
        // A failure no longer matters, since every reply was sent.
        let _ = tokio::time::timeout(LINGER, linger).await;
        Ok(())
    }
}

/// The number of octets that are read at once.
const READ: usize = 16 * 1024;
/// The number of octets of replies that are collected before they are written.
const FLUSH: usize = 64 * 1024;
/// The longest time that a client may leave its replies unread.
const WRITE: Duration = Duration::from_secs(300);
/// The deadline for a session that has none of its own.
const FALLBACK: Duration = Duration::from_secs(3600);
/// The time that a closing connection is still read.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_READS: usize = 64;
