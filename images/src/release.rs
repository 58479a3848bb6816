//! A release of an archive: the signed release file, and the index of packages it vouches for. Used only when the lock
//! is written or checked; a build needs neither.

use std::collections::BTreeMap;
use std::io::Read;

use pgp::composed::{CleartextSignedMessage, Deserializable, SignedPublicKey};

use crate::ImageError;
use crate::archive::{Mirror, fetch};
use crate::digest::sha256_hex;
use crate::lock::{Archive, Pin, Release};

/// The keys of Debian's releases, so that a host with an older keyring can check a newer release.
const KEYS: [&[u8]; 3] = [
    include_bytes!("../keys/debian-archive-trixie-automatic.gpg"),
    include_bytes!("../keys/debian-archive-trixie-security-automatic.gpg"),
    include_bytes!("../keys/debian-archive-trixie-stable.gpg"),
];
const INDEX: &str = "main/binary-amd64/Packages.xz";

/// The packages of one archive, the newest version of each name.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) release: Release,
    packages: BTreeMap<String, Vec<Listed>>,
}

/// A package as the index lists it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) pin: Pin,
    pub(crate) depends: String,
}

impl Index {
    /// Fetches the index and checks it: the signature, then the hash.
    pub(crate) fn fetch(mirror: &Mirror, archive: &Archive) -> Result<Self, ImageError> {
        let url = mirror.address(&archive.name, &format!("dists/{}/InRelease", archive.suite));
        let get =
            |url: &str| fetch(url).map_err(|miss| ImageError::Fetch { url: url.to_owned(), reason: miss.reason() });
        let signed = get(&url)?;
        let text = verified(&signed).map_err(|reason| ImageError::Signature { url: url.clone(), reason })?;
        let unclear = |reason: &str| ImageError::Index { url: url.clone(), reason: reason.to_owned() };
        let hash = index_hash(&text).ok_or_else(|| unclear("it names no index of amd64 packages"))?;
        let date = field(&text, "Date").ok_or_else(|| unclear("it has no date"))?.to_owned();
        if field(&text, "Codename") != Some(archive.suite.as_str()) {
            return Err(unclear("it is of another suite"));
        }
        let url = mirror.address(&archive.name, &format!("dists/{}/{INDEX}", archive.suite));
        let packed = get(&url)?;
        let found = sha256_hex(&packed);
        if found != hash {
            let reason =
                format!("its SHA-256 is {found}, the release file says {hash}; the archive may be changing: try again");
            return Err(ImageError::Index { url, reason });
        }
        let mut text = String::new();
        liblzma::read::XzDecoder::new(&packed[..])
            .read_to_string(&mut text)
            .map_err(|error| ImageError::Index { url, reason: error.to_string() })?;
        let release = Release { name: archive.name.clone(), suite: archive.suite.clone(), date };
        Ok(Self { packages: parse(&text, &archive.name), release })
    }

    /// The newest version of a package in this archive.
    pub(crate) fn newest(&self, name: &str) -> Option<&Listed> {
        let listed = self.packages.get(name)?;
        listed.iter().max_by(|one, other| crate::version::compare(&one.pin.version, &other.pin.version))
    }

    /// Whether the archive still has exactly this package.
    pub(crate) fn has(&self, pin: &Pin) -> bool {
        self.packages.get(&pin.name).is_some_and(|listed| listed.iter().any(|listed| listed.pin == *pin))
    }
}

/// The text of a clear-signed release file, when one of our keys signed it.
fn verified(signed: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(signed).map_err(|error| error.to_string())?;
    let (message, _) = CleartextSignedMessage::from_string(text).map_err(|error| error.to_string())?;
    for file in KEYS {
        let keys = SignedPublicKey::from_bytes_many(file).map_err(|error| error.to_string())?;
        for key in keys.flatten() {
            let by_subkey = || key.public_subkeys.iter().any(|subkey| message.verify(&subkey.key).is_ok());
            if message.verify(&key.primary_key).is_ok() || by_subkey() {
                return Ok(message.signed_text());
            }
        }
    }
    Err("no signature is good; it was altered, or the release has new keys (images/keys)".to_owned())
}

/// The index's hash in the release file's `SHA256:` list.
fn index_hash(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim_end).skip_while(|line| *line != "SHA256:").skip(1);
    lines.by_ref().take_while(|line| line.starts_with(' ')).find_map(|line| {
        let mut words = line.split_whitespace();
        let (hash, _, path) = (words.next()?, words.next()?, words.next()?);
        (path == INDEX).then(|| hash.to_owned())
    })
}

fn field<'t>(stanza: &'t str, name: &str) -> Option<&'t str> {
    stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn parse(text: &str, archive: &str) -> BTreeMap<String, Vec<Listed>> {
    let mut packages: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
    for stanza in text.split("\n\n") {
        let get = |name| field(stanza, name).map(str::to_owned);
        let pin = || {
            Some(Pin {
                name: get("Package")?,
                version: get("Version")?,
                architecture: get("Architecture")?,
                archive: archive.to_owned(),
                path: get("Filename")?,
                size: get("Size")?.parse().ok()?,
                sha256: get("SHA256")?,
            })
        };
        if let Some(pin) = pin() {
            packages
                .entry(pin.name.clone())
                .or_default()
                .push(Listed { pin, depends: get("Depends").unwrap_or_default() });
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_hash_is_that_of_the_strong_list() {
        let text = "MD5Sum:\n aa 1 main/binary-amd64/Packages.xz\nSHA256:\n bb 1 main/x\n cc 1 main/binary-amd64/Packages.xz\n";
        assert_eq!(index_hash(text).as_deref(), Some("cc"));
        assert_eq!(index_hash("MD5Sum:\n aa 1 main/binary-amd64/Packages.xz\n"), None);
    }

    #[test]
    fn the_keys_are_keys_and_an_unsigned_text_is_refused() {
        for file in KEYS {
            assert_eq!(SignedPublicKey::from_bytes_many(file).unwrap().flatten().count(), 1);
        }
        assert!(verified(b"Origin: Debian\n").is_err());
    }
}
