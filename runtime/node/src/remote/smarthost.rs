//! The login at the smarthost: the server that may be told it, and the password, which `keyd` gives for each attempt
//! and which nobody keeps here.

use std::cell::Cell;

use postkiln_control as control;
use postkiln_ipc::keys;
use postkiln_mail::{Outcome, Secret, Status};
use postkiln_smtp::client;
use tokio_rustls::TlsConnector;

use super::names::Exchange;
use super::tls;
use crate::role::Desk;

/// A login, and the means to see that the server is the one that it is for.
pub(crate) struct Known {
    pub(crate) login: client::Login,
    pub(crate) connector: TlsConnector,
}

/// The way to passwords.
pub(crate) struct Passwords {
    keyd: keys::Client,
    desk: Desk,
    is_missing: Cell<bool>,
}

impl Passwords {
    /// Asks nothing yet.
    pub(crate) const fn new(keyd: keys::Client, desk: Desk) -> Self {
        Self { keyd, desk, is_missing: Cell::new(false) }
    }

    /// The password of a login. One that was not delivered shows in `status`, until it is.
    ///
    /// # Errors
    /// The outcome of an attempt that needs it.
    pub(crate) async fn find(&self, login: &control::Login) -> Result<Known, Outcome> {
        let found = self.keyd.smarthost(&login.secret).await;
        let found = found.map_err(|error| trouble(&postkiln_log::chain(&error)))?;
        let is_missing = found.is_none();
        if self.is_missing.replace(is_missing) != is_missing {
            let note = format!("the password at {} was not delivered: mail for others waits", login.relay);
            self.desk.note(if is_missing { &note } else { "" });
        }
        let password =
            found.ok_or_else(|| trouble("the password at the smarthost was not delivered to this system"))?;
        let password = Secret::new(password.expose().to_owned());
        let connector = tls::proven(login.key).map_err(|problem| trouble(&problem.to_string()))?;
        Ok(Known { login: client::Login { user: login.user.clone(), password }, connector })
    }
}

/// Whether a login is for this host.
pub(crate) fn is_for(login: &control::Login, exchange: &Exchange) -> bool {
    exchange.routed && exchange.host == login.relay.host && exchange.port == login.relay.port
}

/// Nothing that another host would mend (RFC 3463 X.7.0).
pub(crate) fn trouble(problem: &str) -> Outcome {
    Outcome::Deferred(Status(4, 7, 0), format!("{problem} (#4.7.0)"))
}
