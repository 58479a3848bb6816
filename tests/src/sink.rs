//! [`Sink`]: the other side's mail server, as small as one can be. It keeps the mail it gets, and answers as it is
//! told. Knows nothing of TLS; it is not the server under test.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// The sink's answer to RCPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accept with 250.
    Accept,
    /// Refuse with 550 5.1.1.
    Refuse,
    /// Defer with 451 4.3.0, each time.
    Defer,
}

/// One message as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The argument of MAIL FROM, without brackets and parameters.
    pub from: String,
    /// The arguments of RCPT TO, without brackets.
    pub to: Vec<String>,
    /// The content with dots unstuffed and CRLF line ends.
    pub content: String,
}

/// A listening mail server.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    messages: Receiver<Received>,
}

impl Sink {
    /// Begins to listen; port 0 picks one.
    ///
    /// # Panics
    /// When the address cannot be used.
    #[must_use]
    pub fn listen(address: &str, verdict: Verdict) -> Self {
        let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        let address = listener.local_addr().expect("a bound socket");
        let (sender, messages) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || converse(&stream, verdict, &sender));
            }
        });
        Self { address, messages }
    }

    /// The port on which it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits for the next message.
    ///
    /// # Panics
    /// When no message comes in time.
    pub fn next(&self, limit: Duration) -> Received {
        self.messages.recv_timeout(limit).unwrap_or_else(|_| panic!("no message reached the sink within {limit:?}"))
    }

    /// A message that has already come.
    pub fn already(&self) -> Option<Received> {
        self.messages.try_recv().ok()
    }
}

fn converse(stream: &TcpStream, verdict: Verdict, messages: &Sender<Received>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let mut reader = BufReader::new(stream);
    let say = |line: &str| { stream }.write_all(format!("{line}\r\n").as_bytes()).ok();
    let mut message = Received { from: String::new(), to: Vec::new(), content: String::new() };
    say("220 sink.example ESMTP")?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let upper = line.to_ascii_uppercase();
        match upper.split([' ', ':', '\r']).next().unwrap_or_default() {
            "EHLO" => say("250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME")?,
            "HELO" | "RSET" | "NOOP" => say("250 ok")?,
            "MAIL" => {
                message = Received { from: path(&line), to: Vec::new(), content: String::new() };
                say("250 ok")?;
            }
            "RCPT" => match verdict {
                Verdict::Accept => {
                    message.to.push(path(&line));
                    say("250 ok")?;
                }
                Verdict::Refuse => say("550 5.1.1 nobody of that name")?,
                Verdict::Defer => say("451 4.3.0 not now")?,
            },
            "DATA" if message.to.is_empty() => say("503 no recipient")?,
            "DATA" => {
                say("354 go")?;
                message.content = content(&mut reader)?;
                messages.send(message.clone()).ok()?;
                say("250 kept")?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("500 what?")?,
        }
    }
}

fn path(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(path, _)| path.to_owned()).unwrap_or_default()
}

fn content(reader: &mut impl BufRead) -> Option<String> {
    let mut content = String::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(content);
        }
        let start = usize::from(line.first() == Some(&b'.'));
        content.push_str(&String::from_utf8_lossy(line.get(start..)?));
    }
}
