//! One connection, one message, one recipient (qmail-remote's `smtp()`), over mail-send's client. Its high-level `send` is
//! not used: it ends at the first refused recipient and does not normalise line ends.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use mail_send::smtp::message::Parameters;
use mail_send::{Error, SmtpClient};
use postkiln_ipc::delivery::Request;
use postkiln_mail::{Outcome, Status};
use smtp_proto::{EXT_8BIT_MIME, EXT_SIZE, EXT_START_TLS, EhloResponse, Response};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::body::Encoder;
use super::names::Exchange;
use super::{Config, Tools, reply};

/// The message's content, as the queue keeps it.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) file: File,
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

/// Connects and delivers; encrypts when the peer can, and tries once more without when encryption fails.
pub(crate) async fn try_address(
    config: &Config,
    tools: &Tools,
    exchange: &Exchange,
    address: SocketAddr,
    request: &Request,
    content: &Content,
) -> Tried {
    let attempt = Attempt { config, tools, exchange, ip: address.ip().to_string(), address, request, content };
    match attempt.run(Some(&tools.connector)).await {
        Run::Tried(tried) => tried,
        Run::TlsFailed(problem) => {
            attempt.log("failed", &problem);
            match attempt.run(None).await {
                Run::Tried(tried) => tried,
                Run::TlsFailed(problem) => Tried::Next(reply::unreachable(&attempt.ip, &problem)),
            }
        }
    }
}

struct Attempt<'a> {
    config: &'a Config,
    tools: &'a Tools,
    exchange: &'a Exchange,
    ip: String,
    address: SocketAddr,
    request: &'a Request,
    content: &'a Content,
}

enum Run {
    Tried(Tried),
    TlsFailed(String),
}

impl Attempt<'_> {
    async fn run(&self, connector: Option<&TlsConnector>) -> Run {
        let mut client = match self.connect().await {
            Ok(client) => client,
            Err(tried) => return Run::Tried(tried),
        };
        let hello = match self.hello(&mut client).await {
            Ok(hello) => hello,
            Err(outcome) => return Run::Tried(Tried::Next(outcome)),
        };
        let (Some(connector), true) = (connector, hello.capabilities & EXT_START_TLS != 0) else {
            self.log("none", "");
            return Run::Tried(Tried::Ended(self.transact(client, &hello).await));
        };
        // Plain text behind the answer to STARTTLS is lost with mail-send's buffer, as RFC 3207 §4.2 wants.
        let mut client = match client.start_tls(connector, &self.exchange.name()).await {
            Ok(client) => client,
            Err(error) => return Run::TlsFailed(error.to_string()),
        };
        self.log(&tls_version(&client), "");
        // RFC 3207 §4.2: what was said before is forgotten.
        match self.hello(&mut client).await {
            Ok(hello) => Run::Tried(Tried::Ended(self.transact(client, &hello).await)),
            Err(outcome) => Run::Tried(Tried::Next(outcome)),
        }
    }

    /// Connects and hears the greeting.
    async fn connect(&self) -> Result<SmtpClient<TcpStream>, Tried> {
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
        // mail-send writes in small pieces: with Nagle's algorithm each message would wait for a delayed ACK.
        stream.set_nodelay(true).map_err(|error| unreachable(&error.to_string()))?;
        let mut client = SmtpClient { stream, timeout: self.config.patience };
        let lead = format!("Connected to {} but greeting failed.", self.ip);
        let greeting = timeout(self.config.patience.min(GREETING), client.read()).await.unwrap_or(Err(Error::Timeout));
        match greeting {
            Ok(response) if response.code == 220 => Ok(client),
            Ok(response) => Err(Tried::Next(later(reply::answered(&lead, &response)))),
            Err(error) => Err(Tried::Next(reply::failed(&self.ip, &lead, &error))),
        }
    }

    /// EHLO, or HELO for those who do not know it (RFC 5321 §4.1.1.1).
    async fn hello<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        client: &mut SmtpClient<T>,
    ) -> Result<EhloResponse<String>, Outcome> {
        let lead = format!("Connected to {} but my name was rejected.", self.ip);
        let helo = self.config.helo.as_str();
        match client.ehlo(helo).await {
            Ok(hello) => return Ok(hello),
            Err(Error::UnexpectedReply(response)) if response.code / 100 == 5 => {}
            Err(error) => return Err(reply::failed(&self.ip, &lead, &error)),
        }
        match client.cmd(format!("HELO {helo}\r\n")).await {
            Ok(response) if response.code == 250 => Ok(EhloResponse::default()),
            Ok(response) => Err(reply::answered(&lead, &response)),
            Err(error) => Err(reply::failed(&self.ip, &lead, &error)),
        }
    }

    async fn transact<T: AsyncRead + AsyncWrite + Unpin + 'static>(
        &self,
        mut client: SmtpClient<T>,
        hello: &EhloResponse<String>,
    ) -> Outcome {
        let outcome = match self.converse(&mut client, hello).await {
            Ok(outcome) | Err(outcome) => outcome,
        };
        // Nobody waits for the end; a peer that does not answer QUIT is left alone soon.
        client.timeout = QUIT;
        tokio::task::spawn_local(client.quit());
        outcome
    }

    async fn converse<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        client: &mut SmtpClient<T>,
        hello: &EhloResponse<String>,
    ) -> Result<Outcome, Outcome> {
        let ip = &self.ip;
        let failed = |lead: String| move |error: Error| reply::failed(ip, &lead, &error);
        // Addresses are typed: no CR, LF or angle bracket outside quotes can be in them. `#@[]` means something to us only.
        let sender = self.request.sender.address().map(ToString::to_string).unwrap_or_default();
        let size = self.content.size.to_string();
        let mut parameters = Parameters::new();
        if hello.capabilities & EXT_SIZE != 0 {
            parameters.add(("SIZE", size.as_str()));
        }
        if hello.capabilities & EXT_8BIT_MIME != 0 {
            parameters.add(("BODY", "8BITMIME"));
        }
        let lead = format!("Connected to {ip} but sender was rejected.");
        client.mail_from(&sender, &parameters).await.map_err(failed(lead))?;
        let lead = format!("{ip} does not like recipient.");
        client.rcpt_to(&self.request.recipient.to_string(), &Parameters::new()).await.map_err(failed(lead))?;
        let lead = format!("{ip} failed on DATA command.");
        let ready = client.cmd(b"DATA\r\n").await.map_err(failed(lead.clone()))?;
        if ready.code != 354 {
            return Err(refused(reply::answered(&lead, &ready)));
        }
        let response = self.content(client).await?;
        let accepted = response.code / 100 == 2;
        let verb = if accepted { "accepted message" } else { "failed after I sent the message" };
        Ok(reply::answered(&format!("{ip} {verb}."), &response))
    }

    /// The content and what the peer says to it.
    async fn content<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        client: &mut SmtpClient<T>,
    ) -> Result<Response<String>, Outcome> {
        let died = |problem: String| {
            let text = format!("Connected to {} but connection died: {problem}. (#4.4.2)", self.ip);
            Outcome::Deferred(Status(4, 4, 2), text)
        };
        let (mut encoder, mut wire) = (Encoder::new(), Vec::new());
        let mut piece = vec![0; PIECE];
        let mut sent = 0;
        while sent < self.content.size {
            let read = self.content.read(sent, &mut piece).map_err(|error| died(error.to_string()))?;
            sent += read.len() as u64;
            encoder.push(read, &mut wire);
            self.write(client, &wire).await.map_err(died)?;
            wire.clear();
        }
        encoder.finish(&mut wire);
        self.write(client, &wire).await.map_err(died)?;
        let duplicate = |problem: &str| died(format!("{problem}. Possible duplicate!"));
        match timeout(self.config.patience, client.read()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(duplicate(&error.to_string())),
            Err(_) => Err(duplicate("timed out")),
        }
    }

    async fn write<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        client: &mut SmtpClient<T>,
        wire: &[u8],
    ) -> Result<(), String> {
        let write = async {
            client.stream.write_all(wire).await?;
            client.stream.flush().await
        };
        match timeout(self.config.patience, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("timed out".to_owned()),
        }
    }

    fn log(&self, tls: &str, problem: &str) {
        let (id, host, ip) = (&self.request.id, self.exchange.name(), &self.ip);
        let known: [(&str, &dyn std::fmt::Display); 4] =
            [("queue", id), ("host", &host), ("address", ip), ("tls", &tls)];
        if problem.is_empty() {
            postkiln_log::info("session", &known);
        } else {
            postkiln_log::warn("session", &[known.as_slice(), &[("problem", &problem)]].concat());
        }
    }
}

impl Content {
    /// The octets from `at` on, as many as fit; an early end of the file is an error.
    fn read<'a>(&self, at: u64, piece: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let wanted = usize::try_from(self.size - at).unwrap_or(usize::MAX).min(piece.len());
        let read = self.file.read_at(piece.get_mut(..wanted).unwrap_or_default(), self.offset + at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(piece.get(..read).unwrap_or_default())
    }
}

/// A greeting of class 5 is about the host's state, not about the message: no reason to give up.
fn later(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Bounced(Status(_, subject, detail), text) => Outcome::Deferred(Status(4, subject, detail), text),
        Outcome::Delivered(text) => Outcome::Deferred(Status(4, 5, 0), text),
        deferred @ Outcome::Deferred(..) => deferred,
    }
}

/// 250 where 354 is due accepts nothing.
fn refused(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Delivered(text) => Outcome::Deferred(Status(4, 5, 0), text),
        other => other,
    }
}

fn tls_version(client: &SmtpClient<TlsStream<TcpStream>>) -> String {
    let connection = client.tls_connection();
    let version = connection.protocol_version().and_then(|version| version.as_str());
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    format!("{}/{}", version.unwrap_or("?"), suite.unwrap_or("?"))
}

/// RFC 5321 §4.5.3.2.1.
const GREETING: Duration = Duration::from_secs(300);
const QUIT: Duration = Duration::from_secs(10);
const PIECE: usize = 1 << 16;
