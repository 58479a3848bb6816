//! What the bundle says to `smtpd`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postkiln_bundle::{Manifest, Role};
use postkiln_control::{
    Badmailfrom, Badrcptto, Brtlimit, Concurrencyincoming, ControlFile, Databytes, Engine, Maxrcpt, Me, Morercpthosts,
    Rcpthosts, Scanner, Smtpgreeting, Timeoutsmtpd,
};
use postkiln_session::Tls;
use postkiln_smtp::{Limits, Listener};
use postkiln_sys::BundleDirectory;

/// Everything, read from one bundle.
pub(super) struct Config {
    /// Our name.
    pub(super) hostname: String,
    /// The domains that are ours, or that we take mail for.
    pub(super) rcpthosts: Rcpthosts,
    /// The rest of them.
    pub(super) morercpthosts: Morercpthosts,
    /// Recipients that nobody may write to.
    pub(super) badrcptto: Badrcptto,
    /// Clients served at the same time.
    pub(super) connections: usize,
    /// The scanner's configuration, when there is a scanner.
    pub(super) clamd_conf: Option<String>,
    /// By listener.
    pub(super) services: BTreeMap<String, Service>,
}

/// One listener.
pub(super) struct Service {
    /// For its sessions.
    pub(super) session: Arc<postkiln_smtp::Config>,
    /// Who may connect: a tcprules cdb.
    pub(super) rules: Vec<u8>,
}

impl Service {
    /// For a session while there is no certificate.
    pub(super) fn without_tls(&self) -> Arc<postkiln_smtp::Config> {
        Arc::new(postkiln_smtp::Config { tls: Tls::Unavailable, ..postkiln_smtp::Config::clone(&self.session) })
    }
}

impl Config {
    /// Reads everything or nothing.
    pub(super) fn read(bundle: &BundleDirectory) -> Result<Self, String> {
        fn file<F: ControlFile>(bundle: &BundleDirectory) -> Result<F, String> {
            F::read(|name| bundle.read(&format!("control/{name}"))).map_err(|error| postkiln_log::chain(&error))
        }
        let must = |path: &str| {
            let bytes = bundle.read(path).map_err(|error| format!("{path}: {error}"))?;
            bytes.ok_or_else(|| format!("the bundle has no {path}"))
        };
        let scanner: Scanner = file(bundle)?;
        let clamd_conf = match scanner.engine {
            Engine::None => None,
            Engine::Clamav => Some(String::from_utf8_lossy(&must("clamav/clamd.conf")?).into_owned()),
        };
        let databytes = file::<Databytes>(bundle)?.0;
        let limits = Limits {
            databytes: (databytes > 0).then_some(databytes),
            max_recipients: usize::try_from(file::<Maxrcpt>(bundle)?.0).unwrap_or(usize::MAX),
            max_refused: usize::try_from(file::<Brtlimit>(bundle)?.0).unwrap_or(usize::MAX),
            timeout: Duration::from_secs(file::<Timeoutsmtpd>(bundle)?.0),
            ..Limits::default()
        };
        let hostname = file::<Me>(bundle)?.0;
        let base = postkiln_smtp::Config {
            hostname: hostname.clone(),
            greeting: file::<Smtpgreeting>(bundle)?.0,
            listener: Listener::Mx,
            tls: Tls::Starttls,
            badmailfrom: file::<Badmailfrom>(bundle)?.0.iter().map(ToString::to_string).collect(),
            limits,
        };
        let manifest: Manifest = serde_json::from_slice(&must(Manifest::NAME)?).map_err(|error| error.to_string())?;
        let own = manifest.services.iter().filter(|service| service.role == Role::Smtpd);
        let mut services = BTreeMap::new();
        for listener in own.flat_map(|service| &service.listeners) {
            let rules = must(&format!("tcp/{}.cdb", listener.name))?;
            let session = Arc::new(session(&base, listener));
            services.insert(listener.name.clone(), Service { session, rules });
        }
        let connections = usize::try_from(file::<Concurrencyincoming>(bundle)?.0).unwrap_or(usize::MAX);
        Ok(Self {
            hostname: hostname.to_string(),
            rcpthosts: file(bundle)?,
            morercpthosts: file(bundle)?,
            badrcptto: file(bundle)?,
            connections,
            clamd_conf,
            services,
        })
    }
}

fn session(base: &postkiln_smtp::Config, listener: &postkiln_bundle::Listener) -> postkiln_smtp::Config {
    postkiln_smtp::Config {
        // Port 25 is where other servers call; the others are for people (RFC 6409).
        listener: if listener.name == "smtp" { Listener::Mx } else { Listener::Submission },
        tls: match listener.tls {
            postkiln_bundle::Tls::Implicit => Tls::Implicit,
            postkiln_bundle::Tls::Starttls => Tls::Starttls,
        },
        ..base.clone()
    }
}
