//! The IMAP side of `postkiln test`: commands as text, answers by imap-proto. Knows only as much of RFC 3501 as is
//! needed to find and remove a message.

use imap_proto::{AttributeValue, MailboxDatum, Response, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Login, Target, tls};

/// A session that is logged in and has INBOX selected.
pub(super) struct Session {
    stream: TlsStream<TcpStream>,
    unread: Vec<u8>,
    tags: u32,
}

/// The parts of a command's responses that this client uses.
#[derive(Default)]
struct Answer {
    found: Vec<u32>,
    bodies: Vec<Vec<u8>>,
}

impl Session {
    /// Connects to `imaps`, logs in, selects INBOX.
    pub(super) async fn open(target: &Target, login: &Login) -> Result<Self, String> {
        let stream = tls::connect(target, "imaps").await?;
        let mut session = Self { stream, unread: Vec::new(), tags: 0 };
        session.response(|_| Some(())).await?;
        session.command(&format!("LOGIN {} {}", quoted(&login.user)?, quoted(&login.password)?)).await?;
        session.command("SELECT INBOX").await?;
        Ok(session)
    }

    /// The UIDs of messages with this text in the subject.
    pub(super) async fn search(&mut self, subject: &str) -> Result<Vec<u32>, String> {
        // After NOOP the server reports new messages (RFC 3501 §6.1.2).
        self.command("NOOP").await?;
        Ok(self.command(&format!("UID SEARCH SUBJECT {}", quoted(subject)?)).await?.found)
    }

    /// A whole message, fetched without marking it as read.
    pub(super) async fn fetch(&mut self, uid: u32) -> Result<Vec<u8>, String> {
        let answer = self.command(&format!("UID FETCH {uid} (BODY.PEEK[])")).await?;
        answer.bodies.into_iter().next().ok_or_else(|| format!("UID {uid} was found and cannot be fetched"))
    }

    /// Removes messages for good.
    pub(super) async fn remove(&mut self, uids: &[u32]) -> Result<(), String> {
        if uids.is_empty() {
            return Ok(());
        }
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        self.command(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")).await?;
        self.command("EXPUNGE").await?;
        Ok(())
    }

    /// Logs out with LOGOUT.
    pub(super) async fn close(mut self) -> Result<(), String> {
        self.command("LOGOUT").await.map(drop)
    }

    async fn command(&mut self, command: &str) -> Result<Answer, String> {
        self.tags += 1;
        let tag = format!("T{}", self.tags);
        let line = format!("{tag} {command}\r\n");
        self.stream.write_all(line.as_bytes()).await.map_err(|error| error.to_string())?;
        self.stream.flush().await.map_err(|error| error.to_string())?;
        let mut answer = Answer::default();
        let verb = command.split(' ').next().unwrap_or_default();
        let done = self.response(|response| collect(&mut answer, response, &tag)).await?;
        done.map(|()| answer).map_err(|text| format!("{verb} was answered {text}"))
    }

    /// Reads responses until `take` gives something.
    async fn response<T>(&mut self, mut take: impl FnMut(Response<'_>) -> Option<T>) -> Result<T, String> {
        loop {
            let (used, taken) = match Response::parse(&self.unread) {
                Ok((rest, response)) => (self.unread.len() - rest.len(), take(response)),
                Err(error) if error.is_incomplete() => (0, None),
                Err(_) => {
                    let start: Vec<u8> = self.unread.iter().copied().take(200).collect();
                    return Err(format!("IMAP answer not understood: {:?}", String::from_utf8_lossy(&start)));
                }
            };
            self.unread.drain(..used);
            if let Some(taken) = taken {
                return Ok(taken);
            }
            if used == 0 && self.stream.read_buf(&mut self.unread).await.map_err(|error| error.to_string())? == 0 {
                return Err("the IMAP server closed the connection".to_owned());
            }
        }
    }
}

/// Keeps the parts of a response that are used; the tagged response gives the verdict.
fn collect(answer: &mut Answer, response: Response<'_>, tag: &str) -> Option<Result<(), String>> {
    match response {
        Response::MailboxData(MailboxDatum::Search(found)) => answer.found.extend(found),
        Response::Fetch(_, attributes) => {
            answer.bodies.extend(attributes.into_iter().filter_map(|attribute| match attribute {
                AttributeValue::BodySection { data: Some(data), .. } => Some(data.into_owned()),
                _ => None,
            }));
        }
        Response::Done { tag: of, status, outcome } if of.0 == tag => {
            return Some(if status == Status::Ok {
                Ok(())
            } else {
                Err(refusal(&status, outcome.information.as_deref()))
            });
        }
        _ => {}
    }
    None
}

/// The status as the server writes it, with the text that the server sent for people.
fn refusal(status: &Status, text: Option<&str>) -> String {
    format!("{} {}", format!("{status:?}").to_uppercase(), text.unwrap_or("without a reason"))
}

/// A quoted string (RFC 3501 §4.3); a text that would need a literal is refused.
fn quoted(text: &str) -> Result<String, String> {
    if text.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
        return Err("only printable ASCII can be sent as a quoted string".to_owned());
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(quoted(text).ok().as_deref(), expected);
    }

    #[test]
    fn quoted_strings_cannot_end_early() {
        check("plain", Some("\"plain\""));
        check("a\"b\\c", Some("\"a\\\"b\\\\c\""));
        check("line\r\nbreak", None);
    }
}
