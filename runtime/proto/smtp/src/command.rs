//! Command lines (RFC 5321 §4.1.1): smtp-proto's grammar, with what it lets pass looked at again.

use std::borrow::Cow;

use postkiln_address::{Address, Domain, ReversePath};
use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN, Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MailFrom, RcptTo, Request};

use crate::path;

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
    /// RFC 4616.
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
    let mut terminated = line.to_vec();
    terminated.extend_from_slice(b"\r\n");
    match Request::parse(&mut terminated.iter()) {
        Ok(request) => ours(line, request, hostname),
        Err(Error::UnknownCommand) => Err(Fault::Unimplemented),
        Err(Error::InvalidSenderAddress | Error::InvalidRecipientAddress) => Err(Fault::Path),
        Err(Error::InvalidParameter { .. } | Error::UnsupportedParameter { .. }) => Err(Fault::Parameter),
        Err(_) if is_mail_or_rcpt(line) => Err(Fault::Path),
        Err(_) => Err(Fault::Syntax),
    }
}

fn ours(line: &[u8], request: Request<Cow<'_, str>>, hostname: &Domain) -> Result<Command, Fault> {
    match request {
        Request::Helo { host } => Ok(Command::Helo(printable(&host))),
        Request::Ehlo { host } => Ok(Command::Ehlo(printable(&host))),
        Request::Mail { from } => mail(line, &from),
        Request::Rcpt { to } => rcpt(line, &to, hostname),
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
fn mail(line: &[u8], from: &MailFrom<Cow<'_, str>>) -> Result<Command, Fault> {
    let sender = path::reverse(line).ok_or(Fault::Path)?;
    let known =
        MailFrom { address: from.address.clone(), size: from.size, auth: from.auth.clone(), ..MailFrom::default() };
    let body = from.flags & (MAIL_BODY_7BIT | MAIL_BODY_8BITMIME);
    if *from != (MailFrom { flags: body, ..known }) {
        return Err(Fault::Parameter);
    }
    Ok(Command::Mail(Mail { sender, size: size(line)?, has_auth: from.auth.is_some() }))
}

/// `rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters]` (§4.1.1.3); no extension of ours brings a parameter.
fn rcpt(line: &[u8], to: &RcptTo<Cow<'_, str>>, hostname: &Domain) -> Result<Command, Fault> {
    let address = path::forward(line, hostname).ok_or(Fault::Path)?;
    if *to != (RcptTo { address: to.address.clone(), ..RcptTo::default() }) {
        return Err(Fault::Parameter);
    }
    Ok(Command::Rcpt(address))
}

/// `size-value = 1*20DIGIT` (RFC 1870 §3), of which 19 are read: nobody has a message that needs the twentieth.
/// smtp-proto makes a wrong small number of a very long one.
fn size(line: &[u8]) -> Result<Option<u64>, Fault> {
    let mut largest = None;
    for parameter in line.rsplit(|b| *b == b'>').next().unwrap_or_default().split(|b| *b == b' ') {
        let Some((_, value)) = parameter.split_at_checked(5).filter(|(name, _)| name.eq_ignore_ascii_case(b"SIZE="))
        else {
            continue;
        };
        let text = std::str::from_utf8(value).map_err(|_| Fault::Parameter)?;
        if !(1..=19).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Fault::Parameter);
        }
        largest = largest.max(text.parse().ok());
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

fn is_mail_or_rcpt(line: &[u8]) -> bool {
    line.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"MAIL") || verb.eq_ignore_ascii_case(b"RCPT"))
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
        check("MAIL FROM:a@b.example", Err(Fault::Path));
        check("MAIL", Err(Fault::Path));
        check("RCPT TO:<a@b.example> NOTIFY=NEVER", Err(Fault::Parameter));
        check("RCPT TO:<>", Err(Fault::Path));
        check("RCPT TO:<a@[127.0.0.1]>", Err(Fault::Path));
        check("DATA", Ok(Command::Data));
    }
}
