//! The role `remote`: outbound SMTP (qmail-rspawn and qmail-remote). It is given one message, one sender and one
//! recipient at a time, finds the hosts to try and says what became of it. Knows nothing about the queue or about
//! retries. Reads the active bundle and what `netd` found out; opens connections to anybody. Is given the password at
//! the smarthost, for the attempt that needs it. Start at [`deliver`].

mod names;
mod reply;
mod session;
mod smarthost;
mod tcpto;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use postkiln_address::Domain;
use postkiln_bundle::Role;
use postkiln_control::{Helohost, Login, Resolvers, Smarthost, Smtproutes, Timeoutconnect, Timeoutremote};
use postkiln_ipc::delivery::Request;
use postkiln_ipc::{Channel, ChannelError, keys};
use postkiln_mail::{Outcome, Status};
use postkiln_sys::{BundleDirectory, Inherited};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;

use crate::aside::aside;
use crate::contents::control;
use crate::error::{During, NodeError};
use crate::role::{self, Seat};
use names::{Exchange, Names};
use session::{Content, Tried};
use smarthost::{Known, Passwords};
use tcpto::Timeouts;

/// Runs the role until `init` stops it.
///
/// # Errors
/// When it cannot start or its socket to `queued` is gone.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Remote, inherited, Config::read, |seat| async move { work(seat).await })
}

/// The settings from the control files.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    routes: Smtproutes,
    /// The login at the server of the last route.
    login: Option<Login>,
    /// The site's own resolvers; empty: those of `netd`.
    resolvers: Vec<SocketAddr>,
    helo: Domain,
    connect: Duration,
    patience: Duration,
    /// Where mail exchangers listen: 25.
    port: u16,
}

impl Config {
    fn read(bundle: &BundleDirectory) -> Result<Self, NodeError> {
        let resolvers: Resolvers = control(bundle)?;
        Ok(Self {
            routes: control(bundle)?,
            login: control::<Smarthost>(bundle)?.0,
            resolvers: resolvers.0.iter().map(|server| SocketAddr::new(server.address, server.port)).collect(),
            helo: control::<Helohost>(bundle)?.0,
            connect: Duration::from_secs(control::<Timeoutconnect>(bundle)?.0),
            patience: Duration::from_secs(control::<Timeoutremote>(bundle)?.0),
            port: 25,
        })
    }
}

async fn work(mut seat: Seat<Config>) -> Result<(), NodeError> {
    let resolv_conf = seat.data().join(postkiln_operation::paths::RESOLV_CONF);
    let mut tools = Tools::new(resolv_conf)?;
    // The door is there when the bundle has a login.
    if let Ok(keyd) = seat.door(Role::Keyd) {
        tools.passwords = Some(Passwords::new(keys::Client::new(keyd), seat.desk.clone()));
    }
    let tools = Rc::new(tools);
    let (configs, answering) = (seat.config.clone(), tools.clone());
    seat.answer(CONVERSATIONS, move |_, channel| answer(channel, configs.borrow().clone(), answering.clone()))?;
    tokio::task::spawn_local(look(seat.config.clone(), tools));
    seat.ready();
    seat.stopped().await;
    Ok(())
}

/// Says in `status` when a bundle's login has no password, before any mail waits for it.
async fn look(mut configs: watch::Receiver<Arc<Config>>, tools: Rc<Tools>) {
    loop {
        let config = configs.borrow_and_update().clone();
        if let (Some(login), Some(passwords)) = (&config.login, &tools.passwords) {
            // An attempt has the same outcome, and logs it.
            let _ = passwords.find(login).await;
        }
        if configs.changed().await.is_err() {
            return;
        }
    }
}

/// The tools that all attempts share.
pub(crate) struct Tools {
    connector: TlsConnector,
    passwords: Option<Passwords>,
    resolv_conf: PathBuf,
    names: RefCell<Option<Rc<Names>>>,
    timeouts: RefCell<Timeouts>,
}

impl Tools {
    fn new(resolv_conf: PathBuf) -> Result<Self, NodeError> {
        Ok(Self {
            connector: tls::connector()?,
            passwords: None,
            resolv_conf,
            names: RefCell::default(),
            timeouts: RefCell::default(),
        })
    }

    /// The resolver for the servers in force, kept as long as those do not change, with its cache.
    async fn names(&self, config: &Config) -> Result<Rc<Names>, NodeError> {
        let servers = if config.resolvers.is_empty() { self.leased().await? } else { config.resolvers.clone() };
        let mut names = self.names.borrow_mut();
        if let Some(names) = names.as_ref().filter(|names| names.servers() == servers) {
            return Ok(names.clone());
        }
        let made = Rc::new(Names::new(servers)?);
        *names = Some(made.clone());
        Ok(made)
    }

    /// `nameserver` lines as `netd` writes them; none when there is no file yet.
    async fn leased(&self) -> Result<Vec<SocketAddr>, NodeError> {
        let path = self.resolv_conf.clone();
        let read = aside(move || match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            read => read,
        });
        let text = read.await.during(|| "the list of name servers".to_owned())?;
        let address = |line: &str| line.strip_prefix("nameserver ")?.trim().parse().ok();
        Ok(text.lines().filter_map(address).map(|address| SocketAddr::new(address, 53)).collect())
    }
}

/// One conversation: one attempt.
async fn answer(
    mut channel: Channel<Outcome, Request>,
    config: Arc<Config>,
    tools: Rc<Tools>,
) -> Result<(), ChannelError> {
    let Some((request, descriptor)) = channel.receive().await? else { return Ok(()) };
    // An attempt comes with its message.
    let descriptor = descriptor.ok_or(ChannelError::Malformed)?;
    let content = Content { file: Arc::new(descriptor.into()), offset: request.offset, size: request.size };
    let outcome = deliver(&config, &tools, &request, &content).await;
    // A caller that went away needs no answer: the attempt is repeated.
    channel.send(&outcome).await
}

/// One attempt: every host in its order until one of them gives an answer that counts.
pub(crate) async fn deliver(config: &Config, tools: &Tools, request: &Request, content: &Content) -> Outcome {
    let names = match tools.names(config).await {
        Ok(names) => names,
        Err(problem) => return Outcome::Deferred(Status(4, 4, 3), format!("{} (#4.4.3)", problem.told())),
    };
    let exchanges = match names.exchanges(request.recipient.domain(), config).await {
        Ok(exchanges) => exchanges,
        Err(outcome) => return outcome,
    };
    let mut failure = None;
    for exchange in &exchanges {
        match try_exchange(config, tools, &names, exchange, request, content).await {
            Tried::Ended(outcome) => return outcome,
            Tried::OurOwn if exchange.preference == exchanges.first().map_or(0, |first| first.preference) => {
                return reply::our_own();
            }
            // RFC 5321 §5.1: what is not preferred to ourselves is not tried.
            Tried::OurOwn => break,
            Tried::Next(outcome) => failure = Some(worse(failure, outcome)),
        }
    }
    failure.unwrap_or_else(reply::no_connection)
}

async fn try_exchange(
    config: &Config,
    tools: &Tools,
    names: &Names,
    exchange: &Exchange,
    request: &Request,
    content: &Content,
) -> Tried {
    if !exchange.routed && exchange.is_called(&config.helo) {
        return Tried::OurOwn;
    }
    let known = match login(config, tools, exchange).await {
        Ok(known) => known,
        Err(outcome) => return Tried::Ended(outcome),
    };
    let addresses = match names.addresses(exchange).await {
        Ok(addresses) => addresses,
        Err(outcome) => return Tried::Next(outcome),
    };
    let mut failure = None;
    for address in addresses.into_iter().take(ADDRESSES) {
        match session::try_address(config, tools, exchange, known.as_ref(), address, request, content).await {
            Tried::Next(outcome) => failure = Some(worse(failure, outcome)),
            other => return other,
        }
    }
    Tried::Next(failure.unwrap_or_else(reply::no_connection))
}

/// The login for a host, if it is the one that asks for one.
async fn login(config: &Config, tools: &Tools, exchange: &Exchange) -> Result<Option<Known>, Outcome> {
    let Some(login) = config.login.as_ref().filter(|login| smarthost::is_for(login, exchange)) else { return Ok(None) };
    let passwords = tools.passwords.as_ref().ok_or_else(|| smarthost::trouble("there is no way to the password"))?;
    passwords.find(login).await.map(Some)
}

/// Of two hosts' failures the one that leaves more hope; of equals the later.
fn worse(before: Option<Outcome>, now: Outcome) -> Outcome {
    match (before, now) {
        (Some(before @ Outcome::Deferred(..)), Outcome::Bounced(..)) => before,
        (_, now) => now,
    }
}

/// Conversations at the same time: `queued` keeps to `concurrencyremote`; this is for the worst.
const CONVERSATIONS: usize = 1000;
/// Addresses tried for one host name.
const ADDRESSES: usize = 8;
