//! The common part of `imapd` and `pop3d`: a password asked of `directoryd`, and a mailbox whose work is done on a
//! thread of its own. Before the login a session's answers have no mailbox: a [`Person`] is a visitor, and only a login
//! makes an owner of it. Start at [`Person`].

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use postkiln_address::Domain;
use postkiln_bundle::Role;
use postkiln_control::Me;
use postkiln_ipc::Door;
use postkiln_ipc::directory::{self, Access as Service, Account, Password};
use postkiln_log::Event;
use postkiln_mail::Secret;
use postkiln_store::{Quota, Uniques};
use postkiln_sys::BundleDirectory;

use crate::contents::{self, Listeners};
use crate::error::NodeError;
use crate::role::Seat;
use crate::serving::Listening;

/// The configuration from the bundle.
pub(crate) struct Config {
    /// The host's own name.
    pub(crate) hostname: Domain,
    listeners: Listeners,
}

impl Config {
    /// Reads everything or nothing.
    pub(crate) fn read(role: Role, bundle: &BundleDirectory) -> Result<Self, NodeError> {
        Ok(Self { hostname: contents::control::<Me>(bundle)?.0, listeners: Listeners::read(role, bundle)? })
    }
}

impl Listening for Config {
    fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    fn connections(&self) -> usize {
        CONNECTIONS
    }
}

/// The parts that all sessions of a role share on their way to a mailbox.
pub(crate) struct Access {
    directoryd: Arc<Door>,
    mail: PathBuf,
    uniques: Arc<Uniques>,
}

impl Access {
    /// Takes the door to `directoryd`.
    pub(crate) fn new(seat: &mut Seat<Config>) -> Result<Self, NodeError> {
        let uniques = Uniques::new(seat.config().hostname.as_str(), std::process::id(), random());
        let (directoryd, mail) = (seat.door(Role::Directoryd)?, seat.data().join("mail"));
        Ok(Self { directoryd, mail, uniques: Arc::new(uniques) })
    }

    /// For a client that has not said who it is.
    pub(crate) fn login(&self, peer: IpAddr) -> Login {
        let directory = directory::Client::new(self.directoryd.clone());
        Login { directory, mail: self.mail.clone(), uniques: self.uniques.clone(), peer }
    }
}

/// A mailbox of a protocol: answers what its sessions ask after the login. Blocking.
pub(crate) trait Mailbox: Send + Sized + 'static {
    /// A session's question.
    type Question: Send + 'static;
    /// The answer to such a question.
    type Answer: Send + 'static;

    /// The mailbox of the person who has logged in.
    fn of(place: Place) -> Self;

    /// The answer; `None` while somebody else has the mailbox's lease: nothing was done, and the question can be asked
    /// again.
    fn answer(&mut self, question: &Self::Question, now: SystemTime) -> Option<Self::Answer>;
}

/// The person at the other end of a connection. A visitor has no mailbox, and nothing but a login gives one: an
/// attacker who breaks into a session before its login finds no mail in it.
pub(crate) enum Person<M> {
    /// Somebody who has not said who it is, or not rightly.
    Visitor(Login),
    /// The owner of a mailbox.
    Owner(M),
    /// The owner of a mailbox whose work came to grief: the session can only end.
    Lost,
}

/// The outcome for a name and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoggedIn {
    /// The mailbox is theirs from now on.
    Done,
    /// Wrong name or password.
    Denied,
    /// There is no answer now.
    Unavailable,
}

impl<M: Mailbox> Person<M> {
    /// Asks `directoryd` whether this is the person.
    pub(crate) async fn log_in(&mut self, service: Service, name: String, password: Secret) -> LoggedIn {
        let Self::Visitor(login) = self else { return LoggedIn::Unavailable };
        match login.place(service, name, password).await {
            Ok(place) => {
                *self = Self::Owner(M::of(place));
                LoggedIn::Done
            }
            Err(refused) => refused,
        }
    }

    /// The owner's question to the mailbox; `None` when there is no answer now.
    pub(crate) async fn ask(&mut self, question: M::Question) -> Option<M::Answer> {
        let mailbox = match std::mem::replace(self, Self::Lost) {
            Self::Owner(mailbox) => mailbox,
            other => {
                *self = other;
                return None;
            }
        };
        let (mailbox, answer) =
            work(mailbox, move |mailbox: &mut M| mailbox.answer(&question, SystemTime::now())).await?;
        *self = Self::Owner(mailbox);
        answer
    }
}

/// The way from a name and a password to a mailbox.
pub(crate) struct Login {
    directory: directory::Client,
    mail: PathBuf,
    uniques: Arc<Uniques>,
    peer: IpAddr,
}

/// Where a person's mail lies.
pub(crate) struct Place {
    /// The path of the Maildir.
    pub(crate) maildir: PathBuf,
    /// The limits of the mailbox.
    pub(crate) quota: Quota,
    /// Names for new messages.
    pub(crate) uniques: Arc<Uniques>,
}

impl Login {
    async fn place(&mut self, service: Service, name: String, password: Secret) -> Result<Place, LoggedIn> {
        let password = Password(password.into_exposed());
        match self.directory.authenticate(service, name, password, self.peer).await {
            Ok(Some(account)) => Ok(self.place_of(&account)),
            Ok(None) => Err(LoggedIn::Denied),
            Err(problem) => {
                postkiln_log::warn(Event::LoginDeferred, &[("problem", &postkiln_log::chain(&problem))]);
                Err(LoggedIn::Unavailable)
            }
        }
    }

    fn place_of(&self, account: &Account) -> Place {
        Place {
            maildir: self.mail.join(&account.maildir),
            quota: Quota::of(account.quota, account.quota_messages),
            uniques: self.uniques.clone(),
        }
    }
}

/// Does a mailbox's work on another thread, so that a slow disk holds up nobody else. `None` when the work came to
/// grief; the mailbox is gone then too.
///
/// A job that gives nothing has found the mailbox in use, and is tried again until [`IN_USE`] is over. In between it
/// waits as a task: however many sessions wait for one mailbox, all threads are there for the others.
async fn work<M, T, J>(mailbox: M, job: J) -> Option<(M, Option<T>)>
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
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_nanos() as u64);
    postkiln_sys::random().map_or_else(|_| clock(), u64::from_ne_bytes)
}

/// Clients served at the same time.
const CONNECTIONS: usize = 2000;
/// Connections of one peer: the mail programs of one office come from one address, several connections each.
pub(crate) const PER_PEER: usize = 200;
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
