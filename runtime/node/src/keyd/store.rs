//! The secrets that were delivered to this node, kept below `keys/`: one file, sealed with a key of `keyd`'s own
//! making. Who copies the disk's other directories, or the sealed file alone, has nothing. Knows neither callers nor
//! where a delivery came from. Start at [`Store`].

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use postkiln_handover::{Delivered, Delivery, Hidden, Purpose, Value};
use postkiln_log::Event;
use postkiln_sys::sync;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{During, NodeError};

/// The secrets of this node.
pub(super) struct Store {
    folder: PathBuf,
    key: LessSafeKey,
    kept: BTreeMap<String, Kept>,
}

/// A secret, and what was made of it here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    delivered: Delivered,
    /// Of a password, once somebody has asked for it: each hash has a salt of its own and costs a core for a moment.
    hash: Option<Hidden>,
}

/// A person's password, in the best form that there is of it.
pub(super) enum Login {
    /// A hash that was made before.
    Hash(Hidden),
    /// Not hashed yet.
    Password(Hidden),
}

impl Store {
    /// Opens what is below `folder`; makes the key when there is none.
    ///
    /// # Errors
    /// When the key cannot be read or made. Secrets that cannot be opened are lost, which is said in the log: they are
    /// delivered anew.
    pub(super) fn open(folder: &Path) -> Result<Self, NodeError> {
        let key = key(&folder.join(KEY)).during(|| format!("keys/{KEY}"))?;
        let mut store = Self { folder: folder.to_owned(), key, kept: BTreeMap::new() };
        match fs::read(folder.join(SEALED)) {
            Ok(sealed) => match store.unseal(sealed) {
                Some(kept) => store.kept = kept,
                None => postkiln_log::error(Event::SecretsLost, &[("problem", &"keys/secrets cannot be opened")]),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).during(|| format!("keys/{SEALED}")),
        }
        Ok(store)
    }

    /// Takes a delivery in place of what was there, durably. Hashes of what stayed the same stay.
    ///
    /// # Errors
    /// When it cannot be written; then what was there is still in force.
    pub(super) fn take(&mut self, delivery: Delivery) -> Result<(), NodeError> {
        let take = |(name, delivered): (String, Delivered)| {
            let present = self.kept.get(&name).filter(|present| present.delivered.version == delivered.version);
            let hash = present.and_then(|present| present.hash.clone());
            (name, Kept { delivered, hash })
        };
        let kept: BTreeMap<_, _> = delivery.secrets.into_iter().map(take).collect();
        if kept == self.kept {
            return Ok(());
        }
        self.write(&kept)?;
        self.kept = kept;
        Ok(())
    }

    /// A person's password, when this version of the secret was delivered for that.
    pub(super) fn login(&self, name: &str, version: &str) -> Option<Login> {
        let kept = self.kept.get(name).filter(|kept| kept.delivered.version == version)?;
        let Value::Text(password) = &kept.delivered.value else { return None };
        kept.delivered.purposes.contains(&Purpose::Login).then(|| match &kept.hash {
            Some(hash) => Login::Hash(hash.clone()),
            None => Login::Password(password.clone()),
        })
    }

    /// The private keys that were delivered for the site's certificate, PKCS #8 in PEM. More than one only while a site
    /// changes from one secret to another.
    pub(super) fn tls_keys(&self) -> impl Iterator<Item = &Hidden> {
        self.kept.values().filter_map(|kept| match &kept.delivered.value {
            Value::TlsKey(key) if kept.delivered.purposes.contains(&Purpose::Tls) => Some(key),
            _ => None,
        })
    }

    /// The password at the smarthost, when this secret was delivered for that.
    pub(super) fn smarthost(&self, name: &str) -> Option<Hidden> {
        let kept = self.kept.get(name).filter(|kept| kept.delivered.purposes.contains(&Purpose::Smarthost))?;
        match &kept.delivered.value {
            Value::Text(password) => Some(password.clone()),
            _ => None,
        }
    }

    /// Keeps a hash that was made of what [`Self::login`] gave, until [`Self::save`] in memory alone.
    pub(super) fn hashed(&mut self, name: &str, version: &str, hash: Hidden) {
        if let Some(kept) = self.kept.get_mut(name).filter(|kept| kept.delivered.version == version) {
            kept.hash = Some(hash);
        }
    }

    /// Writes what is in memory.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn save(&self) -> Result<(), NodeError> {
        self.write(&self.kept)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    fn write(&self, kept: &BTreeMap<String, Kept>) -> Result<(), NodeError> {
        let sealed = self.seal(kept).ok_or_else(|| NodeError::Said(format!("keys/{SEALED} cannot be sealed")))?;
        sync::replace(&self.folder.join(SEALED), &sealed, 0o600).during(|| format!("keys/{SEALED}"))
    }

    /// Head, nonce, sealed content. A nonce is random, and there are few: one for each delivery.
    fn seal(&self, kept: &BTreeMap<String, Kept>) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let length = postcard::experimental::serialized_size(kept).ok()?;
        let mut content = vec![0; length];
        postcard::to_slice(kept, &mut content).ok()?;
        // In place: no second copy of the values is left.
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce_used, Aad::from(HEAD), &mut content).ok()?;
        Some([HEAD, &nonce, &content].concat())
    }

    fn unseal(&self, mut sealed: Vec<u8>) -> Option<BTreeMap<String, Kept>> {
        if !sealed.starts_with(HEAD) {
            return None;
        }
        let content = sealed.get_mut(HEAD.len()..)?;
        let (nonce, content) = content.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let content = self.key.open_in_place(nonce, Aad::from(HEAD), content).ok()?;
        let kept = postcard::from_bytes(content).ok();
        content.fill(0);
        kept
    }
}

/// Reads a delivery from a descriptor and leaves nothing there for the next reader; `None` when somebody has
/// read it already.
///
/// # Errors
/// When it cannot be read or is none.
pub(super) fn read(descriptor: OwnedFd) -> Result<Option<Delivery>, NodeError> {
    let mut file = File::from(descriptor);
    // A pipe has neither a beginning to go to nor a length.
    let _ = file.seek(SeekFrom::Start(0));
    let length = file.metadata().map_or(0, |found| found.len()).min(Delivery::LIMIT);
    // Room at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    (&file).take(Delivery::LIMIT).read_to_end(&mut bytes).during(|| "the delivery".to_owned())?;
    let _ = file.set_len(0);
    if bytes.is_empty() {
        return Ok(None);
    }
    Delivery::from_bytes(&bytes).map(Some).map_err(|error| NodeError::Said(error.to_string()))
}

/// The key of this node, made at its first start.
fn key(path: &Path) -> io::Result<LessSafeKey> {
    let mut octets = Zeroizing::new([0; KEY_LENGTH]);
    match File::open(path) {
        Ok(mut file) => file.read_exact(octets.as_mut_slice())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            SystemRandom::new().fill(octets.as_mut_slice()).map_err(|_| io::Error::other("no chance to be had"))?;
            sync::replace(path, octets.as_slice(), 0o600)?;
        }
        Err(error) => return Err(error),
    }
    let key = UnboundKey::new(&CHACHA20_POLY1305, octets.as_slice()).map_err(|_| io::Error::other("it is no key"))?;
    Ok(LessSafeKey::new(key))
}

const KEY: &str = "seal.key";
const SEALED: &str = "secrets";
const KEY_LENGTH: usize = 32;
/// Stands before the nonce, and is sealed along.
const HEAD: &[u8] = b"postkiln sealed 1\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(version: &str, purpose: Purpose, value: &str) -> Delivery {
        let value = Value::Text(Hidden::new(value.to_owned()));
        let delivered = Delivered { version: version.to_owned(), purposes: [purpose].into(), value };
        Delivery { secrets: BTreeMap::from([("grace".to_owned(), delivered)]) }
    }

    fn password(store: &Store, version: &str) -> Option<String> {
        store.login("grace", version).map(|login| match login {
            Login::Hash(hash) => format!("hash {}", hash.expose()),
            Login::Password(password) => password.expose().to_owned(),
        })
    }

    #[test]
    fn what_is_delivered_is_there_after_a_restart_and_is_not_readable_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.take(delivery("1", Purpose::Login, "hunter2")).unwrap();
        store.hashed("grace", "1", Hidden::new("$argon2id$x".to_owned()));
        store.save().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(password(&store, "1").as_deref(), Some("hash $argon2id$x"));
        assert_eq!(password(&store, "2"), None, "another version is another secret");
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for value in [&b"hunter2"[..], b"grace", b"$argon2id$"] {
                assert!(!bytes.windows(value.len()).any(|part| part == value), "{}", path.display());
            }
        }
    }

    #[test]
    fn a_delivery_takes_the_place_of_the_one_before_and_a_hash_stays_with_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.take(delivery("1", Purpose::Login, "hunter2")).unwrap();
        store.hashed("grace", "1", Hidden::new("h".to_owned()));
        store.take(delivery("1", Purpose::Login, "hunter2")).unwrap();
        assert_eq!(password(&store, "1").as_deref(), Some("hash h"));
        store.take(delivery("2", Purpose::Login, "hunter3")).unwrap();
        assert_eq!((password(&store, "1"), password(&store, "2").as_deref()), (None, Some("hunter3")));
        store.take(delivery("2", Purpose::Smarthost, "hunter3")).unwrap();
        assert_eq!(password(&store, "2"), None, "it is for something else");
        store.take(Delivery::default()).unwrap();
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn a_sealed_file_that_was_changed_or_belongs_to_another_node_is_lost_and_nothing_else() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut store = Store::open(folder.path()).unwrap();
        store.take(delivery("1", Purpose::Login, "hunter2")).unwrap();
        let sealed = fs::read(folder.path().join(SEALED)).unwrap();
        fs::write(other.path().join(SEALED), &sealed).unwrap();
        assert_eq!(Store::open(other.path()).unwrap().len(), 0);
        for at in [0, HEAD.len(), sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            fs::write(folder.path().join(SEALED), &changed).unwrap();
            assert_eq!(Store::open(folder.path()).unwrap().len(), 0, "{at}");
        }
        fs::write(folder.path().join(SEALED), "x").unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        store.take(delivery("1", Purpose::Login, "hunter2")).unwrap();
        assert_eq!(Store::open(folder.path()).unwrap().len(), 1);
    }

    #[test]
    fn a_delivery_is_read_once() {
        use std::io::Write;
        let file = tempfile::tempfile().unwrap();
        let sent = delivery("1", Purpose::Login, "hunter2");
        (&file).write_all(&sent.to_bytes().unwrap()).unwrap();
        let descriptor = || OwnedFd::from(file.try_clone().unwrap());
        assert_eq!(read(descriptor()).unwrap(), Some(sent));
        assert_eq!(read(descriptor()).unwrap(), None);
        (&file).write_all(b"nonsense").unwrap();
        assert!(read(descriptor()).is_err_and(|error| !error.told().contains("nonsense")));
    }
}
