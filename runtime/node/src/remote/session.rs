//! One connection to one address: moves octets between a socket and the client session of `runtime/proto/smtp`, which
//! knows the protocol, and reads the message for it.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postkiln_ipc::delivery::Request;
use postkiln_mail::Outcome;
use postkiln_session::{Action, Session as _};
use postkiln_smtp::client::{Answer, Delivery, Encryption, Fate, Question, Session};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::names::Exchange;
use super::smarthost::Known;
use super::wire::Wire;
use super::{Config, Tools, reply};
use crate::aside::aside;

/// The message's content, as the queue keeps it.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) file: Arc<File>,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// The result of trying one address.
#[derive(Debug)]
pub(crate) enum Tried {
    /// This outcome counts.
    Ended(Outcome),
    /// Another host may do better.
    Next(Outcome),
    /// The address is one of ours.
    OurOwn,
}

/// Connects and delivers; encrypts when the peer can, and tries once more without when encryption fails and nothing
/// depends on it.
pub(crate) async fn try_address(
    config: &Config,
    tools: &Tools,
    exchange: &Exchange,
    known: Option<&Known>,
    address: SocketAddr,
    request: &Request,
    content: &Content,
) -> Tried {
    let attempt = Attempt { config, tools, exchange, known, ip: address.ip().to_string(), address, request, content };
    let mut fate = attempt.run(attempt.encryption()).await;
    if let Ok(Fate::NotEncrypted(problem)) = &fate {
        attempt.log("failed", problem);
        fate = attempt.run(Encryption::Never).await;
    }
    match fate {
        Err(tried) => tried,
        Ok(Fate::Final(outcome)) => Tried::Ended(outcome),
        Ok(Fate::Elsewhere(outcome)) => Tried::Next(outcome),
        Ok(Fate::NotEncrypted(problem)) => Tried::Next(reply::unreachable(&attempt.ip, &problem)),
    }
}

struct Attempt<'a> {
    config: &'a Config,
    tools: &'a Tools,
    exchange: &'a Exchange,
    known: Option<&'a Known>,
    ip: String,
    address: SocketAddr,
    request: &'a Request,
    content: &'a Content,
}

impl Attempt<'_> {
    fn encryption(&self) -> Encryption {
        match self.known {
            // By MX nobody is sent to this port.
            _ if self.exchange.port == SUBMISSIONS => Encryption::Implicit,
            Some(_) => Encryption::Required,
            None => Encryption::Offered,
        }
    }

    /// One connection up to the session's fate; its farewell goes on alone.
    async fn run(&self, encryption: Encryption) -> Result<Fate, Tried> {
        let wire = Wire::Plain(self.connect().await?);
        let delivery = Delivery {
            helo: self.config.helo.clone(),
            server: self.ip.clone(),
            sender: self.request.sender.clone(),
            recipient: self.request.recipient.clone(),
            size: self.content.size,
            encryption,
            login: self.known.map(|known| known.login.clone()),
            patience: self.config.patience,
        };
        let mut line = Line { wire, session: Session::new(delivery, Instant::now()), patience: self.config.patience };
        let connector = self.known.map_or(&self.tools.connector, |known| &known.connector);
        let mut sent = 0;
        loop {
            let answer = match line.next(connector, &self.exchange.name()).await {
                Some(Event::Asked(Question::Content)) => self.content.answer(&mut sent).await,
                Some(Event::Asked(Question::InTheClear)) => {
                    self.log("none", "");
                    Answer::Go
                }
                Some(Event::Encrypted) => {
                    self.log(&line.wire.cipher(), "");
                    continue;
                }
                Some(Event::Asked(Question::Ended(fate))) => {
                    tokio::task::spawn_local(line.farewell());
                    return Ok(fate);
                }
                None => return Err(Tried::Next(reply::no_connection())),
            };
            line.session.answer(answer, Instant::now());
        }
    }

    async fn connect(&self) -> Result<TcpStream, Tried> {
        let unreachable = |problem: &str| Tried::Next(reply::unreachable(&self.ip, problem));
        if self.tools.timeouts.borrow().is_dead(self.address.ip(), Instant::now()) {
            return Err(unreachable("recently timed out"));
        }
        let stream = match timeout(self.config.connect, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(unreachable(&error.to_string())),
            Err(_) => {
                self.tools.timeouts.borrow_mut().note(self.address.ip(), Instant::now());
                return Err(unreachable("timed out"));
            }
        };
        self.tools.timeouts.borrow_mut().clear(self.address.ip());
        // Connected to an address from the same address: it is this machine. Routes may say so on purpose, MX may not.
        if !self.exchange.routed && stream.local_addr().is_ok_and(|local| local.ip() == self.address.ip()) {
            return Err(Tried::OurOwn);
        }
        // Commands are small and complete: with Nagle's algorithm each message would wait for a delayed ACK.
        stream.set_nodelay(true).map_err(|error| unreachable(&error.to_string()))?;
        Ok(stream)
    }

    fn log(&self, tls: &str, problem: &str) {
        let (id, host, ip) = (&self.request.id, self.exchange.name(), &self.ip);
        let known: [(&str, &dyn std::fmt::Display); 4] =
            [("queue", id), ("host", &host), ("address", ip), ("tls", &tls)];
        if problem.is_empty() {
            postkiln_log::info(postkiln_log::Event::Session, &known);
        } else {
            postkiln_log::warn(postkiln_log::Event::Session, &[known.as_slice(), &[("problem", &problem)]].concat());
        }
    }
}

/// A session on its connection.
struct Line {
    wire: Wire,
    session: Session,
    patience: Duration,
}

/// An event that the octets alone do not settle.
enum Event {
    Asked(Question),
    Encrypted,
}

impl Line {
    /// Moves octets until the session wants to know something; `None` when it is over.
    async fn next(&mut self, connector: &TlsConnector, name: &str) -> Option<Event> {
        loop {
            match self.session.next() {
                Some(Action::Send(bytes)) => self.send(&bytes).await,
                Some(Action::Ask(question)) => return Some(Event::Asked(question)),
                Some(Action::StartTls) => match timeout(self.patience, self.wire.encrypt(connector, name)).await {
                    Ok(Ok(())) => {
                        self.session.tls_started(Instant::now());
                        return Some(Event::Encrypted);
                    }
                    Ok(Err(error)) => self.session.lost(&error.to_string()),
                    Err(_) => self.session.lost("timed out"),
                },
                Some(Action::Close) => return None,
                // A client receives no message.
                Some(Action::Content(_) | Action::Abort) => {}
                None => self.receive().await,
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        match timeout(self.patience, self.wire.write(bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.session.lost(&error.to_string()),
            Err(_) => self.session.lost("timed out"),
        }
    }

    async fn receive(&mut self) {
        let mut piece = [0; REPLY];
        // Where nothing is awaited the session would stand still for ever.
        let Some(deadline) = self.session.deadline() else { return self.session.lost("nothing is awaited") };
        match tokio::time::timeout_at(deadline.into(), self.wire.read(&mut piece)).await {
            Ok(Ok(0)) => self.session.lost("the server hung up"),
            Ok(Ok(length)) => self.session.receive(piece.get(..length).unwrap_or_default(), Instant::now()),
            Ok(Err(error)) => self.session.lost(&error.to_string()),
            Err(_) => self.session.expire(Instant::now()),
        }
    }

    /// Ends a conversation whose fate is known.
    async fn farewell(mut self) {
        self.session.answer(Answer::Go, Instant::now());
        loop {
            match self.session.next() {
                Some(Action::Send(bytes)) => self.send(&bytes).await,
                Some(_) => break,
                None => self.receive().await,
            }
        }
        // A server that is gone, or does not care, hears no end.
        let _ = timeout(FAREWELL, self.wire.finish()).await;
    }
}

impl Content {
    /// The next piece behind the octets that were sent.
    async fn answer(&self, sent: &mut u64) -> Answer {
        let left = self.size.saturating_sub(*sent);
        if left == 0 {
            return Answer::End;
        }
        let (file, at) = (self.file.clone(), self.offset + *sent);
        let read = aside(move || {
            let mut piece = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(PIECE)];
            let read = file.read_at(&mut piece, at)?;
            piece.truncate(read);
            Ok(piece)
        });
        match read.await {
            Ok(piece) if piece.is_empty() => {
                Answer::Unreadable(io::Error::from(io::ErrorKind::UnexpectedEof).to_string())
            }
            Ok(piece) => {
                *sent += piece.len() as u64;
                Answer::Piece(piece)
            }
            Err(error) => Answer::Unreadable(error.to_string()),
        }
    }
}

/// TLS begins with the connection there (RFC 8314 §7.3).
const SUBMISSIONS: u16 = 465;
const FAREWELL: Duration = Duration::from_secs(10);
const PIECE: usize = 1 << 16;
const REPLY: usize = 1 << 10;
