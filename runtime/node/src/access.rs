//! What `imapd` and `pop3d` have in common: clients in through tcprules and TLS, a password asked of `directoryd`, and a
//! mailbox whose work is done on a thread of its own. Before the login there is no mailbox. Start at [`serve`].

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use postkiln_address::Domain;
use postkiln_bundle::{Manifest, Role, Tls};
use postkiln_control::tcprules::{self, Decision};
use postkiln_control::{ControlFile, Me};
use postkiln_ipc::Door;
use postkiln_ipc::directory::{Access, Account, Password, Reply, Request};
use postkiln_mail::Secret;
use postkiln_net::{Answers, Begin, Counting, Limits, drive};
use postkiln_session::Session;
use postkiln_store::{Quota, Uniques};
use postkiln_sys::BundleDirectory;
use tokio::net::TcpStream;

use crate::asking::{Certificate, Directory};
use crate::role::Seat;

/// What the bundle says.
pub(crate) struct Config {
    hostname: Domain,
    services: BTreeMap<String, Service>,
}

struct Service {
    tls: Tls,
    rules: Vec<u8>,
}

impl Config {
    /// Reads everything or nothing.
    pub(crate) fn read(role: Role, bundle: &BundleDirectory) -> Result<Self, String> {
        let must = |path: &str| {
            let bytes = bundle.read(path).map_err(|error| format!("{path}: {error}"))?;
            bytes.ok_or_else(|| format!("the bundle has no {path}"))
        };
        let me = Me::read(|name| bundle.read(&format!("control/{name}")));
        let me = me.map_err(|error| postkiln_log::chain(&error))?;
        let manifest: Manifest = serde_json::from_slice(&must(Manifest::NAME)?).map_err(|error| error.to_string())?;
        let own = manifest.services.iter().filter(|service| service.role == role);
        let mut services = BTreeMap::new();
        for listener in own.flat_map(|service| &service.listeners) {
            let rules = must(&format!("tcp/{}.cdb", listener.name))?;
            services.insert(listener.name.clone(), Service { tls: listener.tls, rules });
        }
        Ok(Self { hostname: me.0, services })
    }
}

/// How a client reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// The handshake is over.
    Encrypted,
    /// The client may ask for TLS.
    Upgradable,
    /// There is no certificate.
    Plain,
}

/// What a new connection is made of.
pub(crate) struct Client {
    /// Our name.
    pub(crate) hostname: Domain,
    /// How it reached us.
    pub(crate) transport: Transport,
    /// Who it is, once it has said so.
    pub(crate) login: Login,
}

/// Serves until `init` stops the role; `meet` makes a session, and who answers its questions.
pub(crate) async fn serve<C, A>(mut seat: Seat<Config>, meet: impl Fn(Client) -> (C, A) + 'static) -> Result<(), String>
where
    C: Session + 'static,
    A: Answers<C> + 'static,
{
    let directoryd = seat.door(Role::Directoryd)?;
    let certificate = Certificate::fetch(seat.door(Role::Keyd)?, &seat);
    let listeners = seat.listeners();
    let counting = Counting::new(LIMITS);
    let uniques = Arc::new(Uniques::new(seat.config().hostname.as_str(), std::process::id(), random()));
    let office = Rc::new(Office { seat, directoryd, certificate, uniques, meet });
    for (name, listener) in listeners {
        let name: Rc<str> = name.into();
        let accepting = postkiln_net::accept(listener, counting.clone(), {
            let (office, name) = (office.clone(), name.clone());
            move |connection, peer, place| {
                let (office, name) = (office.clone(), name.clone());
                async move {
                    office.converse(&name, connection, peer).await;
                    drop(place);
                }
            }
        });
        office.seat.part(async move { accepting.await.map_err(|error| format!("listener {name}: {error}")) });
    }
    tokio::select! {
        () = office.certificate.asked() => office.seat.ready(),
        () = office.seat.stopped() => {}
    }
    office.seat.stopped().await;
    // Sessions have heard it too.
    let _ = tokio::time::timeout(FAREWELL, counting.empty()).await;
    Ok(())
}

struct Office<M> {
    seat: Seat<Config>,
    directoryd: Arc<Door>,
    certificate: Certificate,
    uniques: Arc<Uniques>,
    meet: M,
}

impl<M> Office<M> {
    async fn converse<C, A>(&self, listener: &str, connection: TcpStream, peer: SocketAddr)
    where
        C: Session,
        A: Answers<C>,
        M: Fn(Client) -> (C, A),
    {
        let config = self.seat.config();
        let Some(service) = config.services.get(listener) else { return };
        if tcprules::lookup(&service.rules, peer.ip(), None) == Decision::Deny {
            postkiln_log::info("refused", &[("peer", &peer.ip()), ("listener", &listener)]);
            return;
        }
        let certificate = self.certificate.get(service.tls == Tls::Implicit).await;
        let (begin, transport) = match (service.tls, certificate) {
            (Tls::Implicit, Some(tls)) => (Begin::Tls(tls), Transport::Encrypted),
            // Without a certificate there is nothing to say on this port.
            (Tls::Implicit, None) => return,
            (Tls::Starttls, Some(tls)) => (Begin::Plain(Some(tls)), Transport::Upgradable),
            (Tls::Starttls, None) => (Begin::Plain(None), Transport::Plain),
        };
        let login = Login {
            directory: Directory::new(self.directoryd.clone()),
            mail: self.seat.data().join("mail"),
            uniques: self.uniques.clone(),
            peer: peer.ip(),
        };
        let (session, mut answers) = (self.meet)(Client { hostname: config.hostname.clone(), transport, login });
        if let Err(error) = drive(connection, begin, session, &mut answers, self.seat.stopped()).await {
            let problem = postkiln_log::chain(&error);
            postkiln_log::info("broken", &[("peer", &peer.ip()), ("listener", &listener), ("problem", &problem)]);
        }
    }
}

/// The way from a name and a password to a mailbox.
pub(crate) struct Login {
    directory: Directory,
    mail: PathBuf,
    uniques: Arc<Uniques>,
    peer: IpAddr,
}

/// What a login leads to.
pub(crate) enum LoggedIn {
    /// Here is the mailbox.
    Mailbox(Place),
    /// Wrong name or password.
    Denied,
    /// It cannot be said now.
    Unavailable,
}

/// Where a person's mail lies.
pub(crate) struct Place {
    /// The Maildir.
    pub(crate) maildir: PathBuf,
    /// What it may hold.
    pub(crate) quota: Quota,
    /// Names for new messages.
    pub(crate) uniques: Arc<Uniques>,
}

impl Login {
    /// Asks `directoryd`.
    pub(crate) async fn try_in(&mut self, service: Access, name: String, password: Secret) -> LoggedIn {
        let password = Password(password.into_exposed());
        let question = Request::Authenticate { service, name, password, peer: self.peer };
        match self.directory.ask(&question).await {
            Reply::Authenticated(account) => LoggedIn::Mailbox(self.place(&account)),
            Reply::Denied => LoggedIn::Denied,
            Reply::Unavailable(problem) => {
                postkiln_log::warn("login-deferred", &[("problem", &problem)]);
                LoggedIn::Unavailable
            }
            _ => LoggedIn::Unavailable,
        }
    }

    fn place(&self, account: &Account) -> Place {
        Place {
            maildir: self.mail.join(&account.maildir),
            quota: Quota::of(account.quota, account.quota_messages),
            uniques: self.uniques.clone(),
        }
    }
}

/// Does a mailbox's work on another thread, so that a slow disk holds up nobody else. `None` when the work came to grief;
/// the mailbox is gone then too.
///
/// A job that gives nothing has found the mailbox in use, and is tried again until [`IN_USE`] is over. In between it waits
/// as a task: however many sessions wait for one mailbox, all threads are there for the others.
pub(crate) async fn work<M, T, J>(mailbox: M, job: J) -> Option<(M, Option<T>)>
where
    M: Send + 'static,
    T: Send + 'static,
    J: Fn(&mut M) -> Option<T> + Send + 'static,
{
    work_within(IN_USE, mailbox, job).await
}

async fn work_within<M, T, J>(patience: Duration, mut mailbox: M, mut job: J) -> Option<(M, Option<T>)>
where
    M: Send + 'static,
    T: Send + 'static,
    J: Fn(&mut M) -> Option<T> + Send + 'static,
{
    let until = Instant::now() + patience;
    let mut pause = SHORTEST_PAUSE;
    loop {
        let result;
        (mailbox, job, result) = tokio::task::spawn_blocking(move || {
            let result = job(&mut mailbox);
            (mailbox, job, result)
        })
        .await
        .ok()?;
        if result.is_some() || Instant::now() >= until {
            return Some((mailbox, result));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Makes this process's file names differ from those of an earlier process with the same number.
fn random() -> u64 {
    let mut bytes = [0; 8];
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        Ok(8) => u64::from_ne_bytes(bytes),
        _ => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_nanos() as u64),
    }
}

/// Mail programs of one office come from one address, several connections each.
const LIMITS: Limits = Limits { total: 2000, per_peer: 200 };
/// For what is in hand to end and the last words to reach the clients. Less than `init` grants.
const FAREWELL: Duration = Duration::from_millis(2500);
/// How long a client waits while another session, or another process, works on its mailbox: longer than the first look
/// into a mailbox of a hundred thousand messages takes, shorter than a mail program waits for a reply.
const IN_USE: Duration = Duration::from_secs(30);
/// Between two tries: most holders give the lease back within a few milliseconds.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A runtime as a role has it, with a single thread for disks.
    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
        tokio::task::LocalSet::new().block_on(&runtime.unwrap(), test);
    }

    #[test]
    fn who_waits_for_a_mailbox_takes_no_thread_from_others() {
        run(async {
            let free = Arc::new(AtomicBool::new(false));
            let waiting: Vec<_> = (0..100)
                .map(|number| {
                    let free = free.clone();
                    let job = move |number: &mut u32| free.load(Ordering::SeqCst).then_some(*number);
                    tokio::task::spawn_local(work(number, job))
                })
                .collect();
            for _ in 0..100 {
                assert_eq!(work((), |()| Some(7)).await, Some(((), Some(7))));
            }
            free.store(true, Ordering::SeqCst);
            for (number, waited) in (0..).zip(waiting) {
                assert_eq!(waited.await.unwrap(), Some((number, Some(number))));
            }
        });
    }

    #[test]
    fn waiting_for_a_mailbox_has_an_end() {
        run(async {
            let never = |_: &mut &str| None::<()>;
            assert_eq!(work_within(Duration::from_millis(20), "mine", never).await, Some(("mine", None)));
        });
    }
}
