//! `packages.lock`: the exact packages that images are made of; and `packages.json`: the wanted ones. Knows nothing
//! about fetching; that is `store` and `release`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ImageError;

/// One package, pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The package's name.
    pub name: String,
    /// The version in Debian's form.
    pub version: String,
    /// The architecture: `amd64` or `all`.
    pub architecture: String,
    /// The name of the archive, one of the lock's, that has the package.
    pub archive: String,
    /// The path of the file below the archive.
    pub path: String,
    /// The size of the file in octets.
    pub size: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

/// An archive's release as it was when the lock was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The archive's name: `debian` or `debian-security`.
    pub name: String,
    /// The suite: `trixie`.
    pub suite: String,
    /// The date in the release file, by which a snapshot archive can be asked.
    pub date: String,
}

/// The content of `packages.lock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The archives that the packages came from, with their dates.
    pub releases: Vec<Release>,
    /// The names of each set's packages, sorted.
    pub sets: BTreeMap<String, Vec<String>>,
    /// All packages, sorted by name.
    pub packages: Vec<Pin>,
}

/// The wanted packages: `packages.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) archives: Vec<Archive>,
    pub(crate) sets: BTreeMap<String, Vec<String>>,
    /// Packages that only depend on the real one, with the beginning of the real one's name.
    pub(crate) follow: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Archive {
    pub(crate) name: String,
    pub(crate) suite: String,
}

impl Wanted {
    pub(crate) fn builtin() -> Result<Self, ImageError> {
        serde_json::from_str(include_str!("../packages.json")).map_err(|error| ImageError::Builtin(error.to_string()))
    }
}

impl Lock {
    /// The lock this program was compiled with.
    ///
    /// # Errors
    /// Never in a program whose tests passed.
    pub fn builtin() -> Result<Self, ImageError> {
        serde_json::from_str(include_str!("../packages.lock")).map_err(|error| ImageError::Builtin(error.to_string()))
    }

    /// Reads a lock from a file.
    ///
    /// # Errors
    /// When the file cannot be read or is no lock.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let text = std::fs::read_to_string(path).map_err(ImageError::io(path))?;
        serde_json::from_str(&text).map_err(|source| ImageError::Lock { path: path.to_owned(), source })
    }

    /// The file's text: one line for each package, so that a moved pin is one changed line.
    #[must_use]
    pub fn print(&self) -> String {
        let json = |value: &dyn erased::Line| value.line();
        let releases: Vec<String> = self.releases.iter().map(|release| json(release)).collect();
        let sets: Vec<String> =
            self.sets.iter().map(|(name, list)| format!("{}: {}", json(name), json(list))).collect();
        let packages: Vec<String> = self.packages.iter().map(|pin| json(pin)).collect();
        format!(
            "{{\n\"releases\": [\n  {}\n],\n\"sets\": {{\n  {}\n}},\n\"packages\": [\n  {}\n]\n}}\n",
            releases.join(",\n  "),
            sets.join(",\n  "),
            packages.join(",\n  ")
        )
    }

    /// The packages of a set.
    ///
    /// # Errors
    /// When the lock has no such set, or the set names a package that is not pinned.
    pub fn set(&self, name: &str) -> Result<Vec<&Pin>, ImageError> {
        let missing = || ImageError::NoSet(name.to_owned());
        let names = self.sets.get(name).ok_or_else(missing)?;
        names.iter().map(|name| self.pin(name).ok_or_else(missing)).collect()
    }

    /// The pin of a package.
    #[must_use]
    pub fn pin(&self, name: &str) -> Option<&Pin> {
        self.packages.iter().find(|pin| pin.name == name)
    }
}

/// A value as one line of JSON.
mod erased {
    pub(super) trait Line {
        fn line(&self) -> String;
    }

    impl<T: serde::Serialize> Line for T {
        fn line(&self) -> String {
            serde_json::to_string(self).unwrap_or_default()
        }
    }
}

/// The differences of two locks, one line for each package, as a person reads them.
#[must_use]
pub fn moved(old: Option<&Lock>, new: &Lock) -> Vec<String> {
    let before = |name: &str| old.and_then(|lock| lock.pin(name));
    let mut lines = Vec::new();
    for pin in &new.packages {
        match before(&pin.name) {
            None => lines.push(format!("+ {} {}", pin.name, pin.version)),
            Some(was) if was.version != pin.version => {
                lines.push(format!("  {} {} -> {}", pin.name, was.version, pin.version));
            }
            Some(was) if was.sha256 != pin.sha256 => {
                lines.push(format!("! {} {}: other content under the same version", pin.name, pin.version));
            }
            Some(_) => {}
        }
    }
    let gone = old.into_iter().flat_map(|lock| &lock.packages).filter(|pin| new.pin(&pin.name).is_none());
    lines.extend(gone.map(|pin| format!("- {} {}", pin.name, pin.version)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_shipped_is_complete_and_printed_as_we_print() {
        let lock = Lock::builtin().unwrap();
        for set in ["kernel", "loader", "base", "clamav"] {
            assert!(!lock.set(set).unwrap().is_empty(), "{set}");
        }
        assert_eq!(lock.print(), include_str!("../packages.lock"));
        assert!(lock.packages.iter().all(|pin| pin.sha256.len() == 64 && pin.size > 0));
    }

    #[test]
    fn what_moved_is_told_by_name() {
        let old = Lock::builtin().unwrap();
        let mut new = old.clone();
        let first = new.packages.first_mut().unwrap();
        let line = format!("  {} {} -> 99", first.name, first.version);
        "99".clone_into(&mut first.version);
        let last = new.packages.pop().unwrap();
        assert_eq!(moved(Some(&old), &new), [line, format!("- {} {}", last.name, last.version)]);
    }
}
