//! The configuration of `smtpd` from the bundle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postkiln_admission::Policy;
use postkiln_bundle::{Role, paths};
use postkiln_control::{
    Brtlimit, Concurrencyincoming, Databytes, Engine, Maxrcpt, Me, Scanner, Smtpgreeting, Timeoutsmtpd,
};
use postkiln_session::Tls;
use postkiln_smtp::{Limits, Listener};
use postkiln_sys::BundleDirectory;

use crate::contents::{Listeners, control, must};
use crate::error::NodeError;
use crate::policyd;
use crate::serving::Listening;

/// The configuration that `smtpd` has read from one bundle.
pub(super) struct Config {
    /// The host's own name.
    pub(super) hostname: String,
    /// Clients served at the same time.
    connections: usize,
    /// The scanner's configuration, when there is a scanner.
    pub(super) clamd_conf: Option<String>,
    listeners: Listeners,
    /// The service of each listener.
    sessions: BTreeMap<String, Arc<postkiln_smtp::Config>>,
}

impl Listening for Config {
    fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    fn connections(&self) -> usize {
        self.connections
    }
}

impl Config {
    /// Reads the whole configuration, or gives the first fault.
    pub(super) fn read(bundle: &BundleDirectory) -> Result<Self, NodeError> {
        let scanner: Scanner = control(bundle)?;
        let clamd_conf = match scanner.engine {
            Engine::None => None,
            Engine::Clamav => Some(String::from_utf8_lossy(&must(bundle, paths::CLAMD)?).into_owned()),
        };
        let databytes = control::<Databytes>(bundle)?.0;
        let limits = Limits {
            databytes: (databytes > 0).then_some(databytes),
            max_recipients: usize::try_from(control::<Maxrcpt>(bundle)?.0).unwrap_or(usize::MAX),
            max_refused: usize::try_from(control::<Brtlimit>(bundle)?.0).unwrap_or(usize::MAX),
            timeout: Duration::from_secs(control::<Timeoutsmtpd>(bundle)?.0),
            ..Limits::default()
        };
        let hostname = control::<Me>(bundle)?.0;
        let base = postkiln_smtp::Config {
            hostname: hostname.clone(),
            greeting: control::<Smtpgreeting>(bundle)?.0,
            listener: Listener::Mx,
            tls: Tls::Starttls,
            policy: Policy::read(|name| bundle.read(&paths::control(name)))?,
            remembers: !policyd::checks(bundle)?.is_empty(),
            limits,
        };
        let listeners = Listeners::read(Role::Smtpd, bundle)?;
        let session = |(name, tls): (&str, _)| (name.to_owned(), Arc::new(session(&base, name, tls)));
        let sessions = listeners.iter().map(session).collect();
        let connections = usize::try_from(control::<Concurrencyincoming>(bundle)?.0).unwrap_or(usize::MAX);
        Ok(Self { hostname: hostname.to_string(), connections, clamd_conf, listeners, sessions })
    }

    /// The settings of a session on a listener, where TLS begins as `tls` says.
    pub(super) fn session(&self, listener: &str, tls: Tls) -> Option<Arc<postkiln_smtp::Config>> {
        let session = self.sessions.get(listener)?;
        // The two differ only while there is no certificate.
        let differs = session.tls != tls;
        Some(if differs {
            Arc::new(postkiln_smtp::Config { tls, ..postkiln_smtp::Config::clone(session) })
        } else {
            session.clone()
        })
    }
}

fn session(base: &postkiln_smtp::Config, listener: &str, tls: postkiln_bundle::Tls) -> postkiln_smtp::Config {
    postkiln_smtp::Config {
        // Other servers call at port 25; the other listeners are for people (RFC 6409).
        listener: if listener == "smtp" { Listener::Mx } else { Listener::Submission },
        tls: match tls {
            postkiln_bundle::Tls::Implicit => Tls::Implicit,
            postkiln_bundle::Tls::Starttls => Tls::Starttls,
        },
        ..base.clone()
    }
}
