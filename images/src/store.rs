//! The store: packages by their SHA-256, and things made from them by the hash of all their inputs. Content is checked
//! at each use, so a store may be copied, shared or damaged without harm.

use std::fs;
use std::path::{Path, PathBuf};

use crate::ImageError;
use crate::archive::{Mirror, Miss, fetch};
use crate::digest::sha256_hex;
use crate::lock::Pin;

/// A folder of packages, and the archive for those that are not there.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    mirror: Option<String>,
    offline: bool,
}

/// The number of made things of one kind that are kept: enough for a few sites and the last programs.
const KEPT: usize = 6;
/// Octets of the hash at the end of a made file.
const SEAL: usize = 64;

impl Store {
    /// A store in `directory`. `mirror` is an archive's address; without one the host's apt sources are read at the
    /// moment when something has to be fetched.
    #[must_use]
    pub fn new(directory: PathBuf, mirror: Option<String>, offline: bool) -> Self {
        Self { directory, mirror, offline }
    }

    /// The folder of this user's store: `$XDG_CACHE_HOME/postkiln`, else `~/.cache/postkiln`.
    #[must_use]
    pub fn default_directory() -> PathBuf {
        let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
        cache.unwrap_or_else(|| PathBuf::from(".cache")).join("postkiln")
    }

    /// The octets of a package, from the store or the archive, checked against the lock.
    pub(crate) fn package(&self, pin: &Pin, tell: &mut dyn FnMut(&str)) -> Result<Vec<u8>, ImageError> {
        let path = self.directory.join("packages").join(format!("{}.deb", pin.sha256));
        if let Ok(bytes) = fs::read(&path) {
            let found = sha256_hex(&bytes);
            if found == pin.sha256 {
                return Ok(bytes);
            }
            if self.offline {
                return Err(altered(pin, found));
            }
            tell(&format!("{} in the store is damaged; fetching it again", pin.name));
        }
        if self.offline {
            let Pin { name, version, sha256, .. } = pin.clone();
            return Err(ImageError::Offline { name, version, sha256 });
        }
        let url = Mirror::find(self.mirror.as_deref())?.address(&pin.archive, &pin.path);
        tell(&format!("fetching {} {} ({:.1} MB)", pin.name, pin.version, octets(pin.size)));
        let bytes = fetch(&url).map_err(|miss| missing(pin, url, miss))?;
        let found = sha256_hex(&bytes);
        if found != pin.sha256 {
            return Err(altered(pin, found));
        }
        write_whole(&path, &bytes)?;
        Ok(bytes)
    }

    /// A thing made earlier from inputs with this hash; `None` when it is not there or damaged.
    pub(crate) fn made(&self, kind: &str, key: &str) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.made_path(kind, key)).ok()?;
        let seal = bytes.split_off(bytes.len().checked_sub(SEAL)?);
        (sha256_hex(&bytes).as_bytes() == seal).then_some(bytes)
    }

    /// Keeps a made thing under the hash of its inputs.
    pub(crate) fn keep(&self, kind: &str, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        let mut sealed = bytes.to_vec();
        sealed.extend_from_slice(sha256_hex(bytes).as_bytes());
        write_whole(&self.made_path(kind, key), &sealed)?;
        self.forget_old(kind);
        Ok(())
    }

    /// Removes all but the newest of a kind. A file that cannot be removed only costs room.
    fn forget_old(&self, kind: &str) {
        let entries = fs::read_dir(self.directory.join("made")).into_iter().flatten().flatten();
        let of_kind = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&format!("{kind}-")));
        let mut dated: Vec<_> =
            of_kind.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
        dated.sort();
        let surplus = dated.len().saturating_sub(KEPT);
        for (_, path) in dated.into_iter().take(surplus) {
            let _ = fs::remove_file(path);
        }
    }

    fn made_path(&self, kind: &str, key: &str) -> PathBuf {
        self.directory.join("made").join(format!("{kind}-{key}"))
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people to read")]
fn octets(size: u64) -> f64 {
    size as f64 / 1e6
}

fn altered(pin: &Pin, found: String) -> ImageError {
    ImageError::Altered { name: pin.name.clone(), version: pin.version.clone(), found, locked: pin.sha256.clone() }
}

fn missing(pin: &Pin, url: String, miss: Miss) -> ImageError {
    match miss {
        Miss::Absent(reason) => ImageError::Gone { name: pin.name.clone(), version: pin.version.clone(), url, reason },
        Miss::Failed(reason) => ImageError::Fetch { url, reason },
    }
}

/// Writes a file under another name first, so that two builds at once and a full disk leave no half file.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(ImageError::io(directory))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = directory.join(format!(".{name}.{}", std::process::id()));
    fs::write(&draft, bytes).map_err(ImageError::io(&draft))?;
    fs::rename(&draft, path).map_err(ImageError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(bytes: &[u8]) -> Pin {
        Pin {
            name: "example".to_owned(),
            version: "1-1".to_owned(),
            architecture: "amd64".to_owned(),
            archive: "debian".to_owned(),
            path: "pool/example.deb".to_owned(),
            size: bytes.len() as u64,
            sha256: sha256_hex(bytes),
        }
    }

    fn check(archived: Option<&[u8]>, offline: bool, expected: Result<&[u8], &str>) {
        let scratch = tempfile::tempdir().unwrap();
        let mirror = scratch.path().join("debian");
        fs::create_dir_all(mirror.join("pool")).unwrap();
        if let Some(bytes) = archived {
            fs::write(mirror.join("pool/example.deb"), bytes).unwrap();
        }
        let address = format!("file://{}", mirror.display());
        let store = Store::new(scratch.path().join("store"), Some(address), offline);
        let got = store.package(&pin(b"right"), &mut |_| ());
        match expected {
            Ok(bytes) => {
                assert_eq!(got.unwrap(), bytes);
                fs::remove_dir_all(&mirror).unwrap();
                assert_eq!(store.package(&pin(b"right"), &mut |_| ()).unwrap(), bytes, "from the store");
            }
            Err(part) => {
                let text = got.unwrap_err().to_string();
                assert!(text.contains("example 1-1") && text.contains(part), "{text}");
            }
        }
    }

    #[test]
    fn a_package_is_right_or_named() {
        check(Some(b"right"), false, Ok(b"right"));
        check(Some(b"wrong"), false, Err("postkiln images lock"));
        check(None, false, Err("postkiln images lock"));
        check(Some(b"right"), true, Err("--offline"));
    }

    #[test]
    fn what_was_made_is_checked_when_used() {
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::new(scratch.path().to_owned(), None, true);
        assert_eq!(store.made("root", "k"), None);
        store.keep("root", "k", b"content").unwrap();
        assert_eq!(store.made("root", "k").as_deref(), Some(&b"content"[..]));
        fs::write(store.made_path("root", "k"), b"damaged").unwrap();
        assert_eq!(store.made("root", "k"), None);
    }

    #[test]
    fn the_store_keeps_the_newest_of_a_kind() {
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::new(scratch.path().to_owned(), None, true);
        store.keep("loader", "other", b"x").unwrap();
        for number in 0..KEPT + 3 {
            store.keep("root", &number.to_string(), b"x").unwrap();
        }
        assert_eq!(fs::read_dir(scratch.path().join("made")).unwrap().count(), KEPT + 1);
        assert!(store.made("root", &(KEPT + 2).to_string()).is_some());
        assert!(store.made("loader", "other").is_some());
    }
}
