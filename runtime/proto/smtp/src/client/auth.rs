//! The login of a client session: AUTH (RFC 4954) with PLAIN (RFC 4616), or LOGIN for servers that know nothing else.
//! Knows nothing about encryption: the session comes here only under TLS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkiln_mail::Secret;

/// A name and a password for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name at that server.
    pub user: String,
    /// The user's password there.
    pub password: Secret,
}

/// The mechanisms of a server that a session can use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mechanisms {
    pub(crate) plain: bool,
    pub(crate) login: bool,
}

/// The reply that is awaited in a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// LOGIN: the question for the name.
    Name,
    /// LOGIN: the question for the password.
    Password,
    /// The server's verdict about the login.
    Verdict,
}

impl Mechanisms {
    /// Takes the words after AUTH in a reply to EHLO.
    pub(crate) fn offered<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut offered = Self::default();
        for word in words {
            offered.plain |= word.eq_ignore_ascii_case("PLAIN");
            offered.login |= word.eq_ignore_ascii_case("LOGIN");
        }
        offered
    }

    /// The command that begins a login, and the reply that follows; `None` where the server knows no mechanism of ours.
    pub(crate) fn begin(self, login: &Login) -> Option<(String, Step)> {
        if self.plain {
            let response = format!("\0{}\0{}", login.user, login.password.expose());
            return Some((format!("AUTH PLAIN {}", STANDARD.encode(response)), Step::Verdict));
        }
        self.login.then(|| ("AUTH LOGIN".to_owned(), Step::Name))
    }
}

impl Step {
    /// The line that answers a question of the server, and the reply that follows; `None` where it may not ask.
    pub(crate) fn respond(self, login: &Login) -> Option<(String, Self)> {
        match self {
            Self::Name => Some((STANDARD.encode(&login.user), Self::Password)),
            Self::Password => Some((STANDARD.encode(login.password.expose()), Self::Verdict)),
            Self::Verdict => None,
        }
    }
}
