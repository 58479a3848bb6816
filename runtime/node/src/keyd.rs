//! `keyd`: holds private keys and the secrets that were delivered to this node. A key never leaves this process: for
//! the roles that have any TLS handshakes are signed, and nothing else. A secret is given to the one role that may have
//! it, in the one form that it is for. Knows nothing about connections. Start at [`run`]; certificates are in `signing`
//! and `own`, secrets in `store`.

mod handshake;
mod own;
mod signing;
mod store;

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use postkiln_address::Domain;
use postkiln_bundle::Role;
use postkiln_bundle::paths::CHAIN;
use postkiln_control::Me;
use postkiln_directory::password;
use postkiln_handover::Hidden;
use postkiln_ipc::keys::{Certificate, Fingerprint, HASHES, Reply, Request};
use postkiln_ipc::{Channel, ChannelError};
use postkiln_log::Event;
use postkiln_sys::{BundleDirectory, Inherited};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::watch;

use crate::contents;
use crate::error::{During, NodeError};
use crate::role::{self, Desk, Seat};
use signing::Signing;
use store::{Login, Store};

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Keyd, inherited, prepare, body)
}

/// The settings from the bundle.
struct Config {
    hostname: Domain,
    /// The site's own certificate and those above it, PEM.
    chain: Option<Vec<u8>>,
}

fn prepare(bundle: &BundleDirectory) -> Result<Config, NodeError> {
    let chain = bundle.read(CHAIN).during(|| CHAIN.to_owned())?;
    if let Some(pem) = &chain {
        signing::chain(pem).map_err(|error| NodeError::bundle(CHAIN, &error))?;
    }
    Ok(Config { hostname: contents::control::<Me>(bundle)?.0, chain })
}

async fn body(mut seat: Seat<Config>) -> Result<(), NodeError> {
    let folder = seat.data().join("keys");
    let mut store = Store::open(&folder)?;
    if let Some(descriptor) = seat.handed("secrets") {
        deliver(&mut store, descriptor).await;
    }
    let config = seat.config();
    let signing = match of_the_site(&config, &store) {
        Some(signing) => signing,
        None => own::open(&folder, config.hostname.as_str())?,
    };
    let (shown, follows) = watch::channel(Shown { now: Rc::new(signing), before: None });
    let safe = Rc::new(Safe { shown: follows, store: RefCell::new(store) });
    note(&seat.desk, &config, &safe.store.borrow());
    let answering = safe.clone();
    seat.answer(CONVERSATIONS, move |caller, channel| talk(answering.clone(), caller, channel))?;
    tokio::task::spawn_local(follow(seat.config.clone(), seat.desk.clone(), folder, safe, shown));
    seat.ready();
    seat.stopped().await;
    Ok(())
}

/// The site's own certificate, when the key that goes with it was delivered for that.
fn of_the_site(config: &Config, store: &Store) -> Option<Signing> {
    let chain = config.chain.as_ref()?;
    store.tls_keys().find_map(|key| Signing::new(chain, key.expose()).ok())
}

fn note(desk: &Desk, config: &Config, store: &Store) {
    let is_missing = config.chain.is_some() && of_the_site(config, store).is_none();
    desk.note(if is_missing { NO_KEY } else { "" });
}

/// A bundle with another host name, or with another certificate, changes what clients are shown. Without the key of
/// that certificate they are still shown the one before, which others may vouch for.
async fn follow(
    mut config: watch::Receiver<Arc<Config>>,
    desk: Desk,
    folder: PathBuf,
    safe: Rc<Safe>,
    shown: watch::Sender<Shown>,
) {
    while config.changed().await.is_ok() {
        let config = config.borrow_and_update().clone();
        note(&desk, &config, &safe.store.borrow());
        match next(&config, &folder, &safe.store.borrow()) {
            Ok(Some(signing)) => shown.send_modify(|shown| shown.change(signing)),
            Ok(None) => {}
            Err(error) => postkiln_log::error(Event::CertificateKept, &[("problem", &error.told())]),
        }
    }
}

fn next(config: &Config, folder: &Path, store: &Store) -> Result<Option<Signing>, NodeError> {
    match of_the_site(config, store) {
        None if config.chain.is_none() => own::open(folder, config.hostname.as_str()).map(Some),
        found => Ok(found),
    }
}

/// The keys and secrets that are kept here.
struct Safe {
    shown: watch::Receiver<Shown>,
    store: RefCell<Store>,
}

/// The certificate that clients are shown, and the one before it: handshakes that began with that may still end.
struct Shown {
    now: Rc<Signing>,
    before: Option<Rc<Signing>>,
}

impl Shown {
    fn change(&mut self, signing: Signing) {
        if signing.fingerprint() != self.now.fingerprint() {
            self.before = Some(std::mem::replace(&mut self.now, Rc::new(signing)));
        }
    }

    fn of(&self, certificate: Fingerprint) -> Option<Rc<Signing>> {
        let all = [Some(&self.now), self.before.as_ref()];
        all.into_iter().flatten().find(|signing| signing.fingerprint() == certificate).cloned()
    }
}

/// Takes what an operator hands over. Where it comes from makes no difference: today `init` has it from `postkiln run`.
async fn deliver(store: &mut Store, descriptor: OwnedFd) {
    let read = tokio::time::timeout(DELIVERY, tokio::task::spawn_blocking(move || store::read(descriptor)));
    let taken = match read.await {
        Ok(Ok(Ok(None))) => return,
        Ok(Ok(Ok(Some(delivery)))) => store.take(delivery),
        Ok(Ok(Err(problem))) => Err(problem),
        Ok(Err(_)) | Err(_) => Err(NodeError::Said("the delivery does not end".to_owned())),
    };
    match taken {
        Ok(()) => postkiln_log::info(Event::SecretsDelivered, &[("secrets", &store.len())]),
        Err(error) => postkiln_log::error(Event::SecretsNotDelivered, &[("problem", &error.told())]),
    }
}

async fn talk(safe: Rc<Safe>, caller: Rc<str>, mut channel: Channel<Reply, Request>) -> Result<(), ChannelError> {
    while let Some((request, _)) = channel.receive().await? {
        let reply = match (caller.parse().ok(), request) {
            (Some(Role::Directoryd), Request::Hashes(wanted)) if wanted.len() <= HASHES => {
                Reply::Hashes(safe.hashes(wanted).await)
            }
            (Some(Role::Remote), Request::Smarthost(name)) => Reply::Password(safe.store.borrow().smarthost(&name)),
            (Some(Role::Smtpd | Role::Imapd | Role::Pop3d), Request::Certificate(known)) => {
                match safe.certificate(known, &mut channel).await? {
                    Some(certificate) => Reply::Certificate(certificate),
                    None => return Ok(()),
                }
            }
            (Some(Role::Smtpd | Role::Imapd | Role::Pop3d), Request::Sign { certificate, scheme, message })
                if handshake::is_signed_by_a_server(&message) =>
            {
                safe.sign(certificate, scheme, &message)
            }
            (_, Request::Sign { .. }) => refused(&caller, "it belongs to no TLS handshake of this caller"),
            _ => refused(&caller, "it is not for this caller, or too much at once"),
        };
        channel.send(&reply).await?;
    }
    Ok(())
}

impl Safe {
    /// The certificate in force, as soon as it is another one than the caller knows; nothing when the caller
    /// goes away first.
    async fn certificate(
        &self,
        known: Option<Fingerprint>,
        caller: &mut Channel<Reply, Request>,
    ) -> Result<Option<Certificate>, ChannelError> {
        let mut shown = self.shown.clone();
        tokio::select! {
            // An error means that the role is about to end.
            shown = shown.wait_for(|shown| Some(shown.now.fingerprint()) != known) => {
                Ok(shown.ok().map(|shown| shown.now.certificate()))
            }
            said = caller.receive() => match said? {
                None => Ok(None),
                // Nothing may be asked before the answer.
                Some(_) => Err(ChannelError::Malformed),
            }
        }
    }

    fn sign(&self, certificate: Fingerprint, scheme: u16, message: &[u8]) -> Reply {
        let Some(signing) = self.shown.borrow().of(certificate) else {
            return Reply::Failed("the certificate is gone".to_owned());
        };
        match signing.sign(scheme, message) {
            Ok(signature) => Reply::Signature(signature),
            Err(error) => Reply::Failed(error.to_string()),
        }
    }

    /// The hashes of people's passwords. One that nobody asked for before is made now, on another thread.
    async fn hashes(&self, wanted: Vec<(String, String)>) -> Vec<Option<Hidden>> {
        let (mut hashes, mut made) = (Vec::with_capacity(wanted.len()), false);
        for (name, version) in wanted {
            let known = self.store.borrow().login(&name, &version);
            hashes.push(match known {
                None => None,
                Some(Login::Hash(hash)) => Some(hash),
                Some(Login::Password(password)) => {
                    let hash = tokio::task::spawn_blocking(move || hash(&password)).await.ok().flatten();
                    if let Some(hash) = &hash {
                        self.store.borrow_mut().hashed(&name, &version, hash.clone());
                        made = true;
                    }
                    hash
                }
            });
        }
        if made && let Err(error) = self.store.borrow().save() {
            // The hash is made again after a restart.
            postkiln_log::warn(Event::HashNotKept, &[("problem", &error.told())]);
        }
        hashes
    }
}

fn hash(password: &Hidden) -> Option<Hidden> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).ok()?;
    password::hash(password.expose(), salt).map(Hidden::new)
}

/// A role that asks for what is not for it has come into other hands, or is newer than this one.
fn refused(caller: &str, problem: &str) -> Reply {
    postkiln_log::error(Event::NotSigned, &[("caller", &caller), ("problem", &problem)]);
    Reply::Failed(problem.to_owned())
}

const NO_KEY: &str = "the key of the site's certificate was not delivered: clients are shown another certificate";
/// How long a delivery may take.
const DELIVERY: Duration = Duration::from_secs(10);
/// Conversations of one caller at a time; each is one handshake.
const CONVERSATIONS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path, name: &str) -> Signing {
        own::open(folder, name).unwrap()
    }

    #[test]
    fn who_knows_the_certificate_hears_of_the_next_and_may_end_what_began_with_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path(), "mail.example.org");
        let known = first.fingerprint();
        let (keys, kept) = watch::channel(Shown { now: Rc::new(first), before: None });
        let safe = Rc::new(Safe { shown: kept, store: RefCell::new(Store::open(folder.path()).unwrap()) });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (door, hatch) = postkiln_ipc::pair().unwrap();
            let hatch = postkiln_ipc::Hatch::new(hatch).unwrap();
            let (caller, talking) = (Rc::from(Role::Smtpd.name()), safe.clone());
            tokio::task::spawn_local(role::answer(hatch, caller, 1, move |name, channel| {
                talk(talking.clone(), name, channel)
            }));
            let keyd = postkiln_ipc::keys::Client::new(Arc::new(postkiln_ipc::Door::new(door)));
            assert_eq!(keyd.certificate().await.unwrap().fingerprint, known);
            let waiting = keyd.next_certificate(known);
            let next = async {
                keys.send_modify(|shown| shown.change(open(folder.path(), "mx.example.org")));
                keys.send_modify(|shown| shown.change(open(folder.path(), "mx.example.org")));
            };
            let (certificate, ()) = tokio::join!(waiting, next);
            let next = certificate.unwrap().fingerprint;
            assert_ne!(next, known);
            // A caller that waits and goes away leaves the only seat to others.
            let gone = tokio::time::timeout(Duration::from_millis(1), keyd.next_certificate(next)).await;
            assert!(gone.is_err() && keyd.certificate().await.is_ok());
            let text = [&[b' '; 64][..], b"TLS 1.3, server CertificateVerify\0", &[1; 32]].concat();
            let signed = |of| matches!(safe.sign(of, 0x0403, &text), Reply::Signature(_));
            assert!(signed(known) && signed(next) && !signed(Fingerprint([0; 32])));
        });
    }
}
