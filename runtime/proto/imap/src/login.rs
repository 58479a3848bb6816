//! LOGIN (RFC 3501 §6.2.3), AUTHENTICATE PLAIN (RFC 3501 §6.2.2, RFC 4616, RFC 4959), STARTTLS (RFC 3501 §6.2.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkiln_mail::Secret;
use postkiln_session::Tls;

use crate::capability;
use crate::cursor::{Bad, Cursor};
use crate::job::{Context, Job, Reply, Step};
use crate::question::{Answer, Question};

/// `login = "LOGIN" SP userid SP password`
pub(crate) fn parse_login(cursor: &mut Cursor<'_>) -> Result<(Vec<u8>, Vec<u8>), Bad> {
    cursor.space()?;
    let name = cursor.astring()?;
    cursor.space()?;
    Ok((name, cursor.astring()?))
}

/// `authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")]`: mechanism and initial response.
pub(crate) fn parse_authenticate(cursor: &mut Cursor<'_>) -> Result<(String, Option<Vec<u8>>), Bad> {
    cursor.space()?;
    let mechanism = cursor.atom()?.to_ascii_uppercase();
    let initial = cursor.take(b' ').then(|| cursor.while_octets(|b| b.is_ascii_graphic()).to_vec());
    Ok((mechanism, initial))
}

pub(crate) fn with_password(name: Vec<u8>, password: Vec<u8>, context: &Context) -> Step {
    if let Some(refused) = refused(context) {
        return Step::Reply(refused);
    }
    match (String::from_utf8(name), String::from_utf8(password)) {
        (Ok(name), Ok(password)) => login(name, password),
        // No password of ours is anything but UTF-8.
        _ => Step::Reply(wrong()),
    }
}

pub(crate) fn authenticate(mechanism: &str, initial: Option<Vec<u8>>, context: &Context) -> Step {
    if let Some(refused) = refused(context) {
        return Step::Reply(refused);
    }
    match (mechanism, initial) {
        ("PLAIN", Some(response)) => plain(&response),
        ("PLAIN", None) => Step::Authenticate,
        _ => Step::Reply(Reply::no("this mechanism is not offered")),
    }
}

/// `message = [authzid] NUL authcid NUL passwd` (RFC 4616 §2) in base64; `*` cancels, `=` is empty.
pub(crate) fn plain(response: &[u8]) -> Step {
    if response == b"*" {
        return Step::Reply(Reply::bad("cancelled"));
    }
    let Some(message) = STANDARD.decode(response).ok().and_then(|octets| String::from_utf8(octets).ok()) else {
        return Step::Reply(Reply::bad("the response is not base64"));
    };
    let parts: Vec<&str> = message.split('\0').collect();
    match parts.as_slice() {
        // Nobody acts for somebody else here.
        [identity, name, password] if !name.is_empty() && (identity.is_empty() || identity == name) => {
            login((*name).to_owned(), (*password).to_owned())
        }
        [_, _, _] => Step::Reply(wrong()),
        _ => Step::Reply(Reply::bad("the response is not of SASL PLAIN")),
    }
}

/// Asks whether this is the person.
fn login(name: String, password: String) -> Step {
    Step::Ask(Question::Login { name, password: Secret::new(password) }, Box::new(Login))
}

#[derive(Debug)]
struct Login;

impl Job for Login {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        Step::Reply(match answer {
            Answer::Done => {
                context.logged_in = true;
                let capabilities = capability::list(context);
                Reply::ok("logged in").code(format!("CAPABILITY {capabilities}"))
            }
            Answer::Denied => wrong(),
            other => Reply::other(&other, "UNAVAILABLE"),
        })
    }
}

pub(crate) fn starttls(context: &Context) -> Step {
    match (context.encrypted, context.config.tls) {
        (false, Tls::Starttls | Tls::Implicit) => Step::StartTls,
        (true, _) => Step::Reply(Reply::bad("TLS runs already")),
        (false, Tls::Unavailable) => Step::Reply(Reply::bad("TLS is not offered")),
    }
}

fn refused(context: &Context) -> Option<Reply> {
    (!context.encrypted).then(|| Reply::no("start TLS first").code("PRIVACYREQUIRED"))
}

fn wrong() -> Reply {
    Reply { denied: true, ..Reply::no("wrong name or password").code("AUTHENTICATIONFAILED") }
}
