//! AUTH (RFC 4954) with PLAIN (RFC 4616) and LOGIN.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkiln_mail::{Secret, Status};

use crate::command::Mechanism;
use crate::context::Context;
use crate::state::{Asking, State};
use crate::{Answer, Listener, Question};

/// The meaning of the client's next response.
#[derive(Debug)]
pub enum Exchange {
    Plain,
    LoginName,
    LoginPassword(String),
}

/// Octets of a line that carries a response (RFC 4954 §4).
pub(crate) const RESPONSE_LINE: usize = 12_288;

/// Begins an exchange.
pub(crate) fn auth(context: &mut Context, mechanism: Mechanism, initial: Option<String>) -> State {
    if context.config.listener != Listener::Submission {
        return State::Idle.after(context.fault("502 5.5.1 unimplemented (#5.5.1)"));
    }
    if !context.secure {
        return State::Idle.after(context.fault("538 5.7.11 encryption required for authentication (#5.7.11)"));
    }
    if context.account.is_some() {
        return State::Idle.after(context.fault("503 5.5.1 already authenticated (#5.5.1)"));
    }
    let (exchange, challenge) = match mechanism {
        Mechanism::Plain => (Exchange::Plain, "334 "),
        Mechanism::Login => (Exchange::LoginName, "334 VXNlcm5hbWU6"),
        Mechanism::Unknown => return State::Idle.after(context.fault("504 5.5.4 unknown mechanism (#5.5.4)")),
    };
    let Some(initial) = initial else {
        context.say(challenge);
        return State::Exchange(exchange);
    };
    // RFC 4954 §4: a single `=` is an empty initial response.
    let initial = if initial == "=" { "" } else { &initial };
    exchange.response(initial.as_bytes(), context)
}

impl Exchange {
    /// A line of the client.
    pub(crate) fn response(self, line: &[u8], context: &mut Context) -> State {
        if line == b"*" {
            return State::Idle.after(context.fault("501 5.7.0 authentication cancelled (#5.7.0)"));
        }
        let Some(text) = STANDARD.decode(line).ok().and_then(|octets| String::from_utf8(octets).ok()) else {
            return State::Idle.after(context.fault("501 5.5.2 malformed authentication response (#5.5.2)"));
        };
        match self {
            Self::Plain => plain(&text, context),
            Self::LoginName => {
                context.say("334 UGFzc3dvcmQ6");
                State::Exchange(Self::LoginPassword(text))
            }
            Self::LoginPassword(name) => login(name, text, context),
        }
    }
}

/// `message = [authzid] NUL authcid NUL passwd` (RFC 4616 §2). Acting for somebody else is not possible here.
fn plain(message: &str, context: &mut Context) -> State {
    let parts: Vec<&str> = message.split('\0').collect();
    match parts.as_slice() {
        [authzid, name, password] if authzid.is_empty() || authzid == name => {
            login((*name).to_owned(), (*password).to_owned(), context)
        }
        [_, _, _] => State::Idle.after(context.refuse_login(FAILED)),
        _ => State::Idle.after(context.fault("501 5.5.2 malformed authentication response (#5.5.2)")),
    }
}

fn login(name: String, password: String, context: &mut Context) -> State {
    if name.is_empty() || password.is_empty() {
        return State::Idle.after(context.refuse_login(FAILED));
    }
    context.ask(Question::Authenticate { name, password: Secret::new(password) });
    State::Asking(Asking::Login)
}

/// After the question who it is.
pub(crate) fn answered(context: &mut Context, answer: Answer) -> State {
    match answer {
        Answer::Authenticated(account) => {
            context.account = Some(account);
            context.say("235 2.7.0 ok, go ahead (#2.0.0)");
            State::Idle
        }
        Answer::Refused(Status(5, ..), _) => State::Idle.after(context.refuse_login(FAILED)),
        _ => {
            context.say("454 4.7.0 temporary authentication failure (#4.7.0)");
            State::Idle
        }
    }
}

const FAILED: &str = "535 5.7.8 authentication failed (#5.7.1)";
