//! Command lines (RFC 5321 §4.1.1): smtp-proto's grammar, with what it lets pass looked at again. Of MAIL and RCPT it
//! reads the parameters alone, behind a path that it takes; the path that came is read by `path`.

use std::borrow::Cow;

use postkiln_address::{Address, Domain, ReversePath};
use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN, Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MailFrom, Request};

use crate::path::Line;

/// A command of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Helo(String),
    Ehlo(String),
    StartTls,
    Auth(Mechanism, Option<String>),
    Mail(Mail),
    Rcpt(Address),
    Data,
    Rset,
    Noop,
    Help,
    Vrfy,
    Quit,
}

/// MAIL with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) sender: ReversePath,
    /// RFC 1870 §6.
    pub(crate) size: Option<u64>,
    /// RFC 4954 §5: allowed where AUTH is.
    pub(crate) has_auth: bool,
}

/// A SASL mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// Name and password in one message (RFC 4616).
    Plain,
    /// Never standardised, spoken by everybody.
    Login,
    Unknown,
}

/// Why a line is no command of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unimplemented,
    Syntax,
    /// MAIL or RCPT whose path cannot be used.
    Path,
    /// A parameter that is unknown, or of an extension we do not offer.
    Parameter,
}

/// Reads a line without its CRLF; `hostname` stands behind a bare `postmaster`.
pub(crate) fn parse(line: &[u8], hostname: &Domain) -> Result<Command, Fault> {
    let head = line.split(|b| *b == b':').next().unwrap_or_default().to_ascii_uppercase();
    let words: Vec<&[u8]> = head.split(|b| *b == b' ').filter(|word| !word.is_empty()).collect();
    let path = || Line::new(line).ok_or(Fault::Path);
    match words.as_slice() {
        [b"MAIL", b"FROM"] => mail(&path()?),
        [b"RCPT", b"TO"] => rcpt(&path()?, hostname),
        [b"MAIL" | b"RCPT", ..] => Err(Fault::Path),
        _ => request(line.to_vec(), other),
    }
}

/// Lets smtp-proto parse a line, and `read` take the request apart.
fn request<T>(mut line: Vec<u8>, read: fn(Request<Cow<'_, str>>) -> Result<T, Fault>) -> Result<T, Fault> {
    line.extend_from_slice(b"\r\n");
    match Request::parse(&mut line.iter()) {
        Ok(request) => read(request),
        Err(Error::UnknownCommand) => Err(Fault::Unimplemented),
        Err(Error::InvalidParameter { .. } | Error::UnsupportedParameter { .. }) => Err(Fault::Parameter),
        Err(_) => Err(Fault::Syntax),
    }
}

fn other(request: Request<Cow<'_, str>>) -> Result<Command, Fault> {
    match request {
        Request::Helo { host } => Ok(Command::Helo(printable(&host))),
        Request::Ehlo { host } => Ok(Command::Ehlo(printable(&host))),
        Request::Auth { mechanism, initial_response } => Ok(auth(mechanism, &initial_response)),
        Request::StartTls => Ok(Command::StartTls),
        Request::Data => Ok(Command::Data),
        Request::Rset => Ok(Command::Rset),
        Request::Noop { .. } => Ok(Command::Noop),
        Request::Help { .. } => Ok(Command::Help),
        Request::Vrfy { .. } => Ok(Command::Vrfy),
        Request::Quit => Ok(Command::Quit),
        _ => Err(Fault::Unimplemented),
    }
}

/// `mail = "MAIL FROM:" Reverse-path [SP Mail-parameters]` (§4.1.1.2).
fn mail(line: &Line<'_>) -> Result<Command, Fault> {
    let sender = line.reverse().ok_or(Fault::Path)?;
    let has_auth = request(format!("MAIL FROM:<> {}", line.parameters).into_bytes(), |request| {
        let Request::Mail { from } = request else { return Err(Fault::Parameter) };
        let known =
            MailFrom { address: from.address.clone(), size: from.size, auth: from.auth.clone(), ..MailFrom::default() };
        let body = from.flags & (MAIL_BODY_7BIT | MAIL_BODY_8BITMIME);
        if from != (MailFrom { flags: body, ..known }) {
            return Err(Fault::Parameter);
        }
        Ok(from.auth.is_some())
    })?;
    Ok(Command::Mail(Mail { sender, size: size(line.parameters)?, has_auth }))
}

/// `rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters]` (§4.1.1.3); no extension of ours brings a parameter.
fn rcpt(line: &Line<'_>, hostname: &Domain) -> Result<Command, Fault> {
    let address = line.forward(hostname).ok_or(Fault::Path)?;
    if line.parameters.is_empty() { Ok(Command::Rcpt(address)) } else { Err(Fault::Parameter) }
}

/// `size-value = 1*20DIGIT` (RFC 1870 §3), of which 19 are read: nobody has a message that needs the twentieth.
/// smtp-proto makes a wrong small number of a very long one.
fn size(parameters: &str) -> Result<Option<u64>, Fault> {
    let mut largest = None;
    for parameter in parameters.split_ascii_whitespace() {
        let Some((_, value)) = parameter.split_at_checked(5).filter(|(name, _)| name.eq_ignore_ascii_case("SIZE="))
        else {
            continue;
        };
        if !(1..=19).contains(&value.len()) || !value.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Fault::Parameter);
        }
        largest = largest.max(value.parse().ok());
    }
    Ok(largest)
}

/// `"AUTH" SP sasl-mech [SP initial-response]` (RFC 4954 §4).
fn auth(mechanism: u64, initial: &str) -> Command {
    let mechanism = match mechanism {
        AUTH_PLAIN => Mechanism::Plain,
        AUTH_LOGIN => Mechanism::Login,
        _ => Mechanism::Unknown,
    };
    Command::Auth(mechanism, (!initial.is_empty()).then(|| initial.to_owned()))
}

/// The client's name for the Received line: what is not printable becomes `?`.
fn printable(host: &str) -> String {
    host.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, Fault> {
        parse(line.as_bytes(), &"mail.example.org".parse().unwrap())
    }

    fn check_size(parameters: &str, expected: Result<Option<u64>, Fault>) {
        let read = read(&format!("MAIL FROM:<a@b.example>{parameters}")).map(|command| match command {
            Command::Mail(mail) => mail.size,
            other => panic!("{other:?}"),
        });
        assert_eq!(read, expected, "{parameters}");
    }

    #[test]
    fn announced_sizes_are_read_to_the_last_digit() {
        check_size("", Ok(None));
        check_size(" SIZE=1000", Ok(Some(1000)));
        check_size(" BODY=8BITMIME size=1000", Ok(Some(1000)));
        check_size(" SIZE=9999999999999999999", Ok(Some(9_999_999_999_999_999_999)));
        check_size(" SIZE=18446744073709551616", Err(Fault::Parameter));
        check_size(" SIZE=99999999999999999999999", Err(Fault::Parameter));
        check_size(" SIZE=", Err(Fault::Parameter));
        check_size(" SIZE=12x", Err(Fault::Parameter));
        check_size(" SIZE=5000 SIZE=1", Ok(Some(5000)));
    }

    fn check(line: &str, expected: Result<Command, Fault>) {
        assert_eq!(read(line), expected, "{line}");
    }

    #[test]
    fn commands() {
        check("ehlo relay.example", Ok(Command::Ehlo("relay.example".into())));
        check("HELO gr\u{fc}n", Ok(Command::Helo("gr?n".into())));
        check("HELO", Err(Fault::Syntax));
        check("", Err(Fault::Unimplemented));
        check("GET / HTTP/1.1", Err(Fault::Unimplemented));
        check("BDAT 3 LAST", Err(Fault::Unimplemented));
        check("AUTH PLAIN", Ok(Command::Auth(Mechanism::Plain, None)));
        check("auth login YWRh", Ok(Command::Auth(Mechanism::Login, Some("YWRh".into()))));
        check("AUTH CRAM-MD5", Ok(Command::Auth(Mechanism::Unknown, None)));
        check("MAIL FROM:<a@b.example> SMTPUTF8", Err(Fault::Parameter));
        check("MAIL FROM:<a@b.example> BODY=BINARYMIME", Err(Fault::Parameter));
        check("MAIL FROM:<a@b.example> RET=FULL", Err(Fault::Parameter));
        check("MAIL FROM:<a@b.example> FOO=BAR", Err(Fault::Parameter));
        check("MAIL FROM:<gr\u{fc}n@b.example>", Err(Fault::Path));
        check("MAIL FROM:a", Err(Fault::Path));
        check("MAIL FROM", Err(Fault::Path));
        check("MAIL", Err(Fault::Path));
        check("RCPT TO:<a@b.example> NOTIFY=NEVER", Err(Fault::Parameter));
        check("RCPT TO:<>", Err(Fault::Path));
        check("RCPT <a@b.example>", Err(Fault::Path));
        check("RCPT TO:<a@b.example> ", Ok(Command::Rcpt("a@b.example".parse().unwrap())));
        check("DATA", Ok(Command::Data));
    }
}
