//! The SMTP side of `postkiln test`, by mail-send.

use std::time::Duration;

use mail_send::smtp::message::Parameters;
use mail_send::{Credentials, Error, SmtpClient};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Login, Target, tls};

/// An SMTP session over TLS.
pub(super) type Secure = SmtpClient<TlsStream<TcpStream>>;

/// A stranger's session on port 25, after EHLO.
pub(super) async fn outside(target: &Target) -> Result<SmtpClient<TcpStream>, String> {
    greeted(target, "smtp").await
}

/// A session on port 25 or 587 after STARTTLS and the second EHLO.
pub(super) async fn with_starttls(target: &Target, listener: &str) -> Result<Secure, String> {
    let client = greeted(target, listener).await?;
    let mut client = client.start_tls(&tls::connector()?, &target.hostname).await.map_err(text)?;
    client.ehlo(OUR_NAME).await.map_err(text)?;
    Ok(client)
}

/// A session on port 465.
pub(super) async fn with_tls(target: &Target) -> Result<Secure, String> {
    let stream = tls::connect(target, "submissions").await?;
    let mut client = SmtpClient { stream, timeout: REPLY };
    greeting(&mut client).await?;
    client.ehlo(OUR_NAME).await.map_err(text)?;
    Ok(client)
}

/// Logs in with AUTH, after a fresh EHLO.
pub(super) async fn authenticate(client: &mut Secure, login: &Login) -> Result<(), String> {
    let capabilities = client.capabilities(OUR_NAME, false).await.map_err(text)?;
    let credentials = Credentials::Plain { username: login.user.clone(), secret: login.password.clone() };
    client.authenticate(&credentials, &capabilities).await.map(drop).map_err(text)
}

/// Whether STARTTLS is offered.
pub(super) async fn offers_starttls<T: AsyncRead + AsyncWrite + Unpin>(
    client: &mut SmtpClient<T>,
) -> Result<bool, String> {
    let reply = client.cmd(format!("EHLO {OUR_NAME}\r\n")).await.map_err(text)?;
    Ok(reply.message.lines().any(|line| line.eq_ignore_ascii_case("STARTTLS")))
}

/// The reply to one recipient, code and text, in a transaction of its own that is then given up.
pub(super) async fn recipient<T: AsyncRead + AsyncWrite + Unpin>(
    client: &mut SmtpClient<T>,
    from: &str,
    to: &str,
) -> Result<(u16, String), String> {
    let mail = client.cmd(format!("MAIL FROM:<{from}>\r\n")).await.map_err(text)?;
    let reply = match mail.code {
        250 => client.cmd(format!("RCPT TO:<{to}>\r\n")).await.map_err(text)?,
        _ => mail,
    };
    client.rset().await.map_err(text)?;
    Ok((reply.code, reply.message))
}

/// Sends a whole message; the reply to DATA's end, of whatever code.
pub(super) async fn send<T: AsyncRead + AsyncWrite + Unpin>(
    client: &mut SmtpClient<T>,
    from: &str,
    to: &str,
    message: &str,
) -> Result<(u16, String), String> {
    let none = Parameters::default();
    client.mail_from(from, &none).await.map_err(text)?;
    client.rcpt_to(to, &none).await.map_err(text)?;
    // mail-send ends the content with CRLF.CRLF itself.
    match client.data(message.trim_end_matches("\r\n").as_bytes()).await {
        Ok(reply) | Err(Error::UnexpectedReply(reply)) => Ok((reply.code, reply.message)),
        Err(error) => Err(text(error)),
    }
}

async fn greeted(target: &Target, listener: &str) -> Result<SmtpClient<TcpStream>, String> {
    let mut client = SmtpClient { stream: tls::tcp(target, listener).await?, timeout: REPLY };
    greeting(&mut client).await?;
    client.ehlo(OUR_NAME).await.map_err(text)?;
    Ok(client)
}

async fn greeting<T: AsyncRead + AsyncWrite + Unpin>(client: &mut SmtpClient<T>) -> Result<(), String> {
    let greeting = tokio::time::timeout(REPLY, client.read()).await.map_err(|_| "no greeting".to_owned())?;
    match greeting.map_err(text)? {
        greeting if greeting.code == 220 => Ok(()),
        greeting => Err(format!("greeted with {} {}", greeting.code, greeting.message)),
    }
}

fn text(error: Error) -> String {
    match error {
        Error::UnexpectedReply(reply) | Error::AuthenticationFailed(reply) => {
            format!("answered {} {}", reply.code, reply.message)
        }
        other => other.to_string(),
    }
}

/// The name in EHLO; RFC 5321 §4.1.3 lets a client without a name give its address.
const OUR_NAME: &str = "[127.0.0.1]";
/// The longest wait for a reply: RFC 5321 §4.5.3.2 is more generous, but a test need not be.
const REPLY: Duration = Duration::from_secs(60);
