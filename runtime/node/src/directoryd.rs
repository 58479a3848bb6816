//! `directoryd`: answers who somebody is and where mail goes. Alone with the password hashes. Knows no protocol of the
//! network. Start at [`run`].

mod checks;
mod passwords;
mod users;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use postkiln_address::{Address, AddressError, LocalPart};
use postkiln_bundle::{Role, paths};
use postkiln_directory::{Directory, Tables, Throttle, Walk, When, password};
use postkiln_handover::PasswordSecrets;
use postkiln_ipc::directory::{Access, Account, Destination, List, Password, Reply, Request, Responder};
use postkiln_ipc::{Channel, ChannelError, keys};
use postkiln_log::Event;
use postkiln_routing::Route;
use postkiln_sys::{BundleDirectory, Inherited};
use tokio::sync::RwLock;

use crate::clock;
use crate::error::{During, NodeError};
use crate::role::{self, Seat};
use checks::Checks;
use users::Users;

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Directoryd, inherited, prepare, body)
}

/// One bundle's tables about addresses, and the place of its users.
struct Config {
    tables: Tables,
    bundle: BundleDirectory,
    /// Whose passwords are secrets.
    secrets: PasswordSecrets,
}

fn prepare(bundle: &BundleDirectory) -> Result<Config, NodeError> {
    let path = paths::PASSWORD_SECRETS;
    let secrets = bundle.read(path).during(|| path.to_owned())?.unwrap_or_default();
    let secrets = String::from_utf8(secrets).map_err(|error| NodeError::bundle(path, &error))?;
    let malformed = |line| NodeError::Bundle { path: path.to_owned(), problem: format!("line {line} is malformed") };
    Ok(Config {
        tables: Tables::read(bundle)?,
        bundle: bundle.try_clone().during(|| "the bundle".to_owned())?,
        secrets: PasswordSecrets::parse(&secrets).map_err(malformed)?,
    })
}

async fn body(mut seat: Seat<Config>) -> Result<(), NodeError> {
    let directory = Directory::open(&seat.data().join("db/postkiln.sqlite")).await?;
    let turns = seat.turns();
    let users = Users {
        directory: directory.clone(),
        keyd: keys::Client::new(seat.door(Role::Keyd)?),
        desk: seat.desk.clone(),
        incomplete: Cell::new(false),
    };
    users.begin(&seat.config()).await?;
    let desk = Rc::new(FrontDesk {
        serving: RwLock::new(seat.config()),
        directory,
        throttles: RefCell::default(),
        checks: Checks::new(CHECKS),
    });
    let front = desk.clone();
    seat.answer(CONVERSATIONS, move |name, channel| talk(Caller { desk: front.clone(), name }, channel))?;
    seat.ready();
    tokio::select! {
        problem = users.follow(turns, &desk) => Err(problem),
        () = seat.stopped() => Ok(()),
    }
}

/// A role that asks.
struct Caller {
    desk: Rc<FrontDesk>,
    name: Rc<str>,
}

async fn talk(caller: Caller, mut channel: Channel<Reply, Request>) -> Result<(), ChannelError> {
    // A caller that was silent for long begins another conversation with its next question.
    while let Ok(received) = tokio::time::timeout(SILENCE, channel.receive()).await {
        let Some((request, _)) = received? else { return Ok(()) };
        let reply = match request {
            Request::Authenticate { service, name, password, peer } => {
                caller.authenticate(service, &name, password, peer).await
            }
            Request::Route(address) => caller.desk.route(&address).await,
        };
        channel.send(&reply).await?;
    }
    Ok(())
}

impl Caller {
    /// A password check, after whatever the peer has to wait for it.
    async fn authenticate(&self, service: Access, name: &str, password: Password, peer: IpAddr) -> Reply {
        let when = self.throttle(|throttle| throttle.when(peer, Instant::now()));
        match when {
            When::Now => {}
            When::After(delay) => {
                let _waiting = Waiting { caller: self, peer };
                tokio::time::sleep(delay).await;
            }
            When::Later => {
                postkiln_log::info(
                    Event::Login,
                    &[("service", &word(service)), ("peer", &peer), ("outcome", &"throttled")],
                );
                return Reply::Unavailable("too many wrong passwords".to_owned());
            }
        }
        let failures = self.throttle(|throttle| throttle.failures(peer, Instant::now()));
        let reply = self.desk.authenticate(service, name, password, peer, failures).await;
        match reply {
            Reply::Authenticated(_) => self.throttle(|throttle| throttle.succeeded(peer, Instant::now())),
            Reply::Denied => self.throttle(|throttle| throttle.failed(peer, Instant::now())),
            _ => {}
        }
        reply
    }

    fn throttle<T>(&self, work: impl FnOnce(&mut Throttle) -> T) -> T {
        work(self.desk.throttles.borrow_mut().entry(self.name.clone()).or_default())
    }
}

/// A peer that waits, also when its conversation ends before it has waited.
struct Waiting<'a> {
    caller: &'a Caller,
    peer: IpAddr,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.caller.throttle(|throttle| throttle.waited(self.peer));
    }
}

/// The parts that all conversations share.
struct FrontDesk {
    /// The bundle in force. Held while an address is looked up, so that tables and users are always of one bundle.
    serving: RwLock<Arc<Config>>,
    directory: Directory,
    /// By calling role: one that lies about its clients makes nobody wait but those who come through it.
    throttles: RefCell<BTreeMap<Rc<str>, Throttle>>,
    checks: Checks,
}

impl FrontDesk {
    async fn authenticate(
        &self,
        service: Access,
        name: &str,
        password: Password,
        peer: IpAddr,
        failures: u32,
    ) -> Reply {
        let found = match self.credentials(name).await {
            Ok(found) => found,
            Err(problem) => return unavailable(&problem),
        };
        let (account, hash) = found.map_or((None, None), |found| (Some(found.account), found.hash));
        let sample = match &hash {
            None => self.directory.sample_hash().await.unwrap_or_default(),
            Some(_) => None,
        };
        let Some(turn) = self.checks.turn(peer, failures).await else {
            return unavailable(&NodeError::Said("too many passwords are to be checked".to_owned()));
        };
        let check =
            tokio::task::spawn_blocking(move || password::agrees(hash.as_deref(), sample.as_deref(), &password.0));
        let agrees = check.await.unwrap_or(false);
        drop(turn);
        let outcome = match &account {
            Some(account) if agrees && is_denied(account, service) => "service-denied",
            _ if agrees => "accepted",
            _ => "denied",
        };
        postkiln_log::info(
            Event::Login,
            &[("service", &word(service)), ("name", &name), ("peer", &peer), ("outcome", &outcome)],
        );
        match account.filter(|_| outcome == "accepted") {
            Some(account) => {
                self.record(&account.id, peer, service);
                reply_account(&account).map_or_else(|problem| unavailable(&problem), Reply::Authenticated)
            }
            None => Reply::Denied,
        }
    }

    async fn credentials(&self, name: &str) -> Result<Option<postkiln_directory::Credentials>, NodeError> {
        // vpopmail also took `user%domain`, for clients that cannot send an @.
        let name = if name.contains('@') { name.to_owned() } else { name.replacen('%', "@", 1) };
        let Ok(address) = name.parse::<Address>() else { return Ok(None) };
        let serving = self.serving.read().await;
        let Some((domain, local)) = serving.tables.login(&address) else { return Ok(None) };
        Ok(self.directory.credentials(&domain, &local).await?)
    }

    /// Not waited for: a login need not wait for the disk.
    fn record(&self, id: &str, peer: IpAddr, service: Access) {
        let (directory, id) = (self.directory.clone(), id.to_owned());
        let now = clock::signed(SystemTime::now());
        tokio::task::spawn_local(async move {
            if let Err(error) = directory.logged_in(&id, now, &peer.to_string(), word(service)).await {
                postkiln_log::warn(Event::LoginNotRecorded, &[("problem", &postkiln_log::chain(&error))]);
            }
        });
    }

    async fn route(&self, address: &Address) -> Reply {
        let serving = self.serving.read().await;
        let mut walk = Walk { tables: &serving.tables, directory: &self.directory };
        match postkiln_routing::route(&mut walk, address).await {
            Ok(Route::NotOurs) => Reply::NotOurs,
            Ok(Route::NoSuchAddress(line)) => Reply::NoSuchAddress(line),
            Ok(Route::Destinations(destinations)) => {
                let mut found = Vec::new();
                for destination in destinations {
                    match self.destination(destination).await {
                        Ok(destination) => found.push(destination),
                        Err(problem) => return unavailable(&problem),
                    }
                }
                Reply::Route(found)
            }
            Err(error) => unavailable(&error.into()),
        }
    }

    async fn destination(&self, destination: postkiln_routing::Destination) -> Result<Destination, NodeError> {
        use postkiln_routing::Destination as Found;
        Ok(match destination {
            Found::Mailbox { domain, user } => {
                let account = self.directory.account(&domain, &user).await?;
                let gone = || NodeError::Said(format!("{user}@{domain} went away in this moment"));
                let account = account.ok_or_else(gone)?;
                Destination::Mailbox(reply_account(&account)?)
            }
            Found::Forward(address) => Destination::Forward(address),
            Found::List { address, directory } => Destination::List(List { address, directory }),
            Found::Respond { address, message, replies, period, .. } => {
                Destination::Respond(Responder { address, message, replies, period })
            }
        })
    }
}

const fn is_denied(account: &postkiln_directory::Account, service: Access) -> bool {
    match service {
        Access::Submission => account.denied.submission,
        Access::Imap => account.denied.imap,
        Access::Pop3 => account.denied.pop3,
    }
}

fn reply_account(account: &postkiln_directory::Account) -> Result<Account, NodeError> {
    let no_address = |error: AddressError| NodeError::Said(format!("account {}: {error}", account.id));
    let local = LocalPart::new(&account.local).map_err(no_address)?;
    let address = Address::new(local, account.domain.parse().map_err(no_address)?);
    Ok(Account {
        id: account.id.clone(),
        address,
        maildir: account.maildir(),
        quota: account.quota,
        quota_messages: account.quota_messages,
    })
}

fn unavailable(problem: &NodeError) -> Reply {
    let problem = problem.told();
    postkiln_log::warn(Event::CannotSay, &[("problem", &problem)]);
    Reply::Unavailable(problem)
}

const fn word(service: Access) -> &'static str {
    match service {
        Access::Submission => "submission",
        Access::Imap => "imap",
        Access::Pop3 => "pop3",
    }
}

/// Password checks at a time.
const CHECKS: usize = 2;
/// Conversations of one caller at a time: more than it has clients.
const CONVERSATIONS: usize = 4096;
/// How long a conversation without a question is kept.
const SILENCE: Duration = Duration::from_secs(10);
