//! The POP3 side of `postkiln test` (RFC 1939).

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Login, Target, tls};

/// The number of newest messages that are looked at: the probes are among them.
const NEWEST: usize = 50;

/// Logs in over `pop3s` and gives the first message that holds all of these texts, without removing it.
pub(super) async fn find(target: &Target, login: &Login, texts: &[&str]) -> Result<Option<String>, String> {
    let mut stream = BufStream::new(tls::connect(target, "pop3s").await?);
    line(&mut stream).await?;
    for command in [format!("USER {}", login.user), format!("PASS {}", login.password)] {
        ask(&mut stream, &command).await?;
    }
    ask(&mut stream, "LIST").await?;
    let numbers: Vec<String> =
        lines(&mut stream).await?.iter().filter_map(|line| line.split(' ').next().map(ToOwned::to_owned)).collect();
    let mut found = None;
    for number in numbers.iter().rev().take(NEWEST) {
        ask(&mut stream, &format!("RETR {number}")).await?;
        let message = lines(&mut stream).await?.join("\n");
        if texts.iter().all(|text| message.contains(text)) {
            found = Some(message);
            break;
        }
    }
    ask(&mut stream, "QUIT").await?;
    Ok(found)
}

type Stream = BufStream<TlsStream<TcpStream>>;

async fn ask(stream: &mut Stream, command: &str) -> Result<String, String> {
    stream.write_all(format!("{command}\r\n").as_bytes()).await.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())?;
    let verb = command.split(' ').next().unwrap_or_default();
    line(stream).await.map_err(|text| format!("{verb} was answered {text}"))
}

/// Reads a status line; `-ERR` becomes an error.
async fn line(stream: &mut Stream) -> Result<String, String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
    if line.starts_with("+OK") { Ok(line) } else { Err(format!("{line:?}")) }
}

/// Reads a multi-line response up to its dot (RFC 1939 §3), unstuffed.
async fn lines(stream: &mut Stream) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.map_err(|error| error.to_string())? == 0 {
            return Err("the POP3 server closed the connection".to_owned());
        }
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        if line == "." {
            return Ok(lines);
        }
        lines.push(line.strip_prefix('.').map_or(line.clone(), ToOwned::to_owned));
    }
}
