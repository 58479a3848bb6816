//! `keyd`: holds the private key for TLS and signs with it: handshakes, for the roles that have any, and nothing else. The key
//! never leaves this process. Without a certificate in `keys/` it makes a self-signed one for the host name, once. It also
//! keeps the secrets that were delivered to this node, and gives each to the one role that may have it. Knows nothing about
//! connections. Start at [`run`].

mod handshake;
mod store;

use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postkiln_bundle::Role;
use postkiln_control::Me;
use postkiln_directory::password;
use postkiln_handover::Hidden;
use postkiln_ipc::keys::{Certificate, Fingerprint, HASHES, Reply, Request};
use postkiln_ipc::{Channel, ChannelError};
use postkiln_log::Event;
use postkiln_sys::{BundleDirectory, Inherited, sync};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SigningKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::watch;

use crate::contents;
use crate::error::NodeError;
use crate::role::{self, Seat};
use store::{Login, Store};

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Keyd, inherited, prepare, body)
}

/// The host name.
struct Config(Me);

fn prepare(bundle: &BundleDirectory) -> Result<Config, NodeError> {
    contents::control(bundle).map(Config)
}

async fn body(mut seat: Seat<Config>) -> Result<(), NodeError> {
    let folder = seat.data().join("keys");
    let keys = Rc::new(Keys::open(&folder, seat.config().0.0.as_str())?);
    let (keys, kept) = watch::channel(Shown { now: keys, before: None });
    let mut store = Store::open(&folder)?;
    if let Some(descriptor) = seat.handed("secrets") {
        deliver(&mut store, descriptor).await;
    }
    let safe = Rc::new(Safe { keys: kept, store: RefCell::new(store) });
    seat.answer(CONVERSATIONS, move |caller, channel| talk(safe.clone(), caller, channel))?;
    tokio::task::spawn_local(follow(seat.config.clone(), folder, keys));
    seat.ready();
    seat.stopped().await;
    Ok(())
}

/// A bundle with another host name needs another certificate.
async fn follow(mut config: watch::Receiver<Arc<Config>>, folder: PathBuf, keys: watch::Sender<Shown>) {
    while config.changed().await.is_ok() {
        let hostname = config.borrow_and_update().0.0.clone();
        match Keys::open(&folder, hostname.as_str()) {
            Ok(opened) => keys.send_modify(|shown| shown.change(opened)),
            Err(problem) => postkiln_log::error(Event::CertificateKept, &[("problem", &problem)]),
        }
    }
}

/// The keys and secrets that are kept here.
struct Safe {
    keys: watch::Receiver<Shown>,
    store: RefCell<Store>,
}

/// The key whose certificate clients are shown, and the one before it: handshakes that began with that may still end.
struct Shown {
    now: Rc<Keys>,
    before: Option<Rc<Keys>>,
}

impl Shown {
    fn change(&mut self, keys: Keys) {
        if keys.fingerprint != self.now.fingerprint {
            self.before = Some(std::mem::replace(&mut self.now, Rc::new(keys)));
        }
    }

    fn of(&self, certificate: Fingerprint) -> Option<Rc<Keys>> {
        let all = [Some(&self.now), self.before.as_ref()];
        all.into_iter().flatten().find(|keys| keys.fingerprint == certificate).cloned()
    }
}

/// Takes what an operator hands over. Where it comes from makes no difference: today `init` has it from `postkiln run`.
async fn deliver(store: &mut Store, descriptor: OwnedFd) {
    let read = tokio::time::timeout(DELIVERY, tokio::task::spawn_blocking(move || store::read(descriptor)));
    let taken = match read.await {
        Ok(Ok(Ok(None))) => return,
        Ok(Ok(Ok(Some(delivery)))) => store.take(delivery),
        Ok(Ok(Err(problem))) => Err(problem),
        Ok(Err(_)) | Err(_) => Err("the delivery does not end".to_owned()),
    };
    match taken {
        Ok(()) => postkiln_log::info(Event::SecretsDelivered, &[("secrets", &store.len())]),
        Err(problem) => postkiln_log::error(Event::SecretsNotDelivered, &[("problem", &problem)]),
    }
}

async fn talk(safe: Rc<Safe>, caller: Rc<str>, mut channel: Channel<Reply, Request>) -> Result<(), ChannelError> {
    while let Some((request, _)) = channel.receive().await? {
        let reply = match request {
            Request::Hashes(wanted) if *caller == *Role::Directoryd.name() && wanted.len() <= HASHES => {
                Reply::Hashes(safe.hashes(wanted).await)
            }
            Request::Hashes(_) => refused(&caller, "the hashes are not for this caller, or too many at once"),
            _ if !meets_clients(&caller) => refused(&caller, "the caller serves no TLS"),
            Request::Sign { message, .. } if !handshake::is_signed_by_a_server(&message) => {
                refused(&caller, "it belongs to no TLS handshake")
            }
            Request::Certificate(known) => match safe.certificate(known, &mut channel).await? {
                Some(certificate) => Reply::Certificate(certificate),
                None => return Ok(()),
            },
            Request::Sign { certificate, scheme, message } => safe.sign(certificate, scheme, &message),
        };
        channel.send(&reply).await?;
    }
    Ok(())
}

impl Safe {
    /// The certificate in force, as soon as it is another one than the caller knows; nothing when the caller goes away first.
    async fn certificate(
        &self,
        known: Option<Fingerprint>,
        caller: &mut Channel<Reply, Request>,
    ) -> Result<Option<Certificate>, ChannelError> {
        let mut keys = self.keys.clone();
        tokio::select! {
            // An error means that the role is about to end.
            shown = keys.wait_for(|shown| Some(shown.now.fingerprint) != known) => {
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
        match self.keys.borrow().of(certificate) {
            Some(keys) => keys.sign(scheme, message),
            None => Reply::Failed("the certificate is gone".to_owned()),
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
        if made && let Err(problem) = self.store.borrow().save() {
            // The hash is made again after a restart.
            postkiln_log::warn(Event::HashNotKept, &[("problem", &problem)]);
        }
        hashes
    }
}

fn hash(password: &Hidden) -> Option<Hidden> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).ok()?;
    password::hash(password.expose(), salt).map(Hidden::new)
}

/// Whether a role offers TLS to clients: to those alone the key for it is of any use.
fn meets_clients(caller: &str) -> bool {
    [Role::Smtpd, Role::Imapd, Role::Pop3d].iter().any(|role| role.name() == caller)
}

/// A role that asks for what is not for it has come into other hands, or is newer than this one.
fn refused(caller: &str, problem: &str) -> Reply {
    postkiln_log::error(Event::NotSigned, &[("caller", &caller), ("problem", &problem)]);
    Reply::Failed(problem.to_owned())
}

/// The key and its certificate.
struct Keys {
    pair: KeyPair,
    chain: Vec<Vec<u8>>,
    fingerprint: Fingerprint,
}

impl Keys {
    /// Reads `tls.key` and `tls.crt`, or makes them. `tls.name` says for which host we made them; a pair without it was
    /// put there by a person and is never replaced.
    fn open(folder: &Path, hostname: &str) -> Result<Self, String> {
        let made_for = fs::read_to_string(folder.join("tls.name")).ok();
        let theirs = made_for.is_none() && folder.join("tls.key").exists();
        if !theirs && (made_for.as_deref() != Some(hostname) || !folder.join("tls.crt").exists()) {
            make(folder, hostname).map_err(|error| format!("cannot make a certificate: {error}"))?;
        }
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let pair = KeyPair::from_pem(&read("tls.key")?).map_err(|error| format!("keys/tls.key: {error}"))?;
        if !pair.is_compatible(&rcgen::PKCS_ECDSA_P256_SHA256) {
            return Err("keys/tls.key is no ECDSA key on P-256".to_owned());
        }
        let certificate = read("tls.crt")?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.map_err(|error| format!("keys/tls.crt: {error:?}"))?;
        let leaf = chain.first().ok_or("keys/tls.crt holds no certificate")?;
        let fingerprint = fingerprint(leaf);
        Ok(Self { pair, chain: chain.iter().map(|one| one.to_vec()).collect(), fingerprint })
    }

    fn certificate(&self) -> Certificate {
        Certificate { fingerprint: self.fingerprint, chain: self.chain.clone(), schemes: vec![SCHEME.into()] }
    }

    fn sign(&self, scheme: u16, message: &[u8]) -> Reply {
        if SignatureScheme::from(scheme) != SCHEME {
            return Reply::Failed("the key does not sign with this scheme".to_owned());
        }
        match self.pair.sign(message) {
            Ok(signature) => Reply::Signature(signature),
            Err(error) => Reply::Failed(error.to_string()),
        }
    }
}

fn fingerprint(leaf: &[u8]) -> Fingerprint {
    // SHA-256 has 32 octets.
    Fingerprint(digest(&SHA256, leaf).as_ref().try_into().unwrap_or_default())
}

/// Makes a key and a certificate. The name comes last: a crash before it makes the next start begin anew.
fn make(folder: &Path, hostname: &str) -> io::Result<()> {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(io::Error::other)?;
    let mut params = CertificateParams::new([hostname.to_owned()]).map_err(io::Error::other)?;
    params.distinguished_name = DistinguishedName::new();
    // RFC 5280: a common name has at most 64 characters; the host name counts where it is a subjectAltName.
    let common: String = hostname.chars().take(64).collect();
    params.distinguished_name.push(DnType::CommonName, common);
    let year = year(SystemTime::now());
    params.not_before = rcgen::date_time_ymd(year - 1, 1, 1);
    params.not_after = rcgen::date_time_ymd(year + 10, 1, 1);
    let certificate = params.self_signed(&pair).map_err(io::Error::other)?;
    let name = folder.join("tls.name");
    match fs::remove_file(&name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // A half-made pair of ours must not look like a person's: that one has no `tls.name` either.
    sync::replace(&name, b"", 0o600)?;
    sync::replace(&folder.join("tls.key"), pair.serialize_pem().as_bytes(), 0o600)?;
    sync::replace(&folder.join("tls.crt"), certificate.pem().as_bytes(), 0o644)?;
    sync::replace(&name, hostname.as_bytes(), 0o600)?;
    postkiln_log::info(Event::CertificateMade, &[("host", &hostname)]);
    Ok(())
}

/// The year of a moment, near enough for a validity of years; a clock that was never set gives this program's own year.
fn year(now: SystemTime) -> i32 {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    i32::try_from(1970 + seconds / 31_556_952).unwrap_or(i32::MAX - 10).max(2026)
}

/// The signature scheme of our only kind of key (RFC 8446 §4.2.3).
const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;
/// How long a delivery may take.
const DELIVERY: Duration = Duration::from_secs(10);
/// Conversations of one caller at a time; each is one handshake.
const CONVERSATIONS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_again_for_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| Keys::open(folder.path(), name).unwrap().chain;
        let first = open("mail.example.org");
        assert_eq!(open("mail.example.org"), first);
        let second = open("mx.example.org");
        assert_ne!(second, first);
        // A crash before the certificate was written.
        fs::write(folder.path().join("tls.name"), "").unwrap();
        fs::remove_file(folder.path().join("tls.crt")).unwrap();
        assert_ne!(open("mx.example.org"), second);
        // A person's own pair stays.
        fs::remove_file(folder.path().join("tls.name")).unwrap();
        let theirs = open("mx.example.org");
        assert_eq!(open("other.example.org"), theirs);
    }

    fn open(folder: &Path, name: &str) -> Keys {
        Keys::open(folder, name).unwrap()
    }

    #[test]
    fn who_knows_the_certificate_hears_of_the_next_and_may_end_what_began_with_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path(), "mail.example.org");
        let known = first.fingerprint;
        let (keys, kept) = watch::channel(Shown { now: Rc::new(first), before: None });
        let safe = Rc::new(Safe { keys: kept, store: RefCell::new(Store::open(folder.path()).unwrap()) });
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
            // Whoever waits and goes away leaves the only seat to others.
            let gone = tokio::time::timeout(Duration::from_millis(1), keyd.next_certificate(next)).await;
            assert!(gone.is_err() && keyd.certificate().await.is_ok());
            let text = [&[b' '; 64][..], b"TLS 1.3, server CertificateVerify\0", &[1; 32]].concat();
            let signed = |of| matches!(safe.sign(of, SCHEME.into(), &text), Reply::Signature(_));
            assert!(signed(known) && signed(next) && !signed(Fingerprint([0; 32])));
        });
    }

    #[test]
    fn the_year_follows_the_clock_unless_it_was_never_set() {
        let day = Duration::from_secs(86_400);
        for (days, expected) in [(0, 2026), (21_000, 2027), (29_300, 2050)] {
            assert_eq!(year(UNIX_EPOCH + day * days), expected, "{days}");
        }
    }
}
