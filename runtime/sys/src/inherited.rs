//! The things a role gets from `init`: descriptors by name, and the data directory. The names travel in the
//! environment:
//! `POSTKILN_DESCRIPTORS="bundle=3 control=4 door.queued=6"`.

use std::collections::BTreeMap;
use std::env;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use rustix::io::{FdFlags, fcntl_setfd};

/// The environment variable with `name=number` pairs.
pub const DESCRIPTORS: &str = "POSTKILN_DESCRIPTORS";
/// The environment variable with the data directory.
pub const DATA: &str = "POSTKILN_DATA";

/// Descriptors by name, each to be taken once, and the data directory.
#[derive(Debug)]
pub struct Inherited {
    descriptors: BTreeMap<String, OwnedFd>,
    data: PathBuf,
}

impl Inherited {
    /// Takes everything that the environment names. Must be called once, first thing in `main`.
    ///
    /// # Errors
    /// When a variable is missing or malformed, or a number is no open descriptor.
    pub fn from_environment() -> Result<Self, InheritedError> {
        let named = env::var(DESCRIPTORS).map_err(|_| InheritedError::Missing(DESCRIPTORS))?;
        let data = env::var_os(DATA).ok_or(InheritedError::Missing(DATA))?;
        let mut descriptors = BTreeMap::new();
        for pair in named.split_ascii_whitespace() {
            let malformed = || InheritedError::Malformed(pair.to_owned());
            let (name, number) = pair.split_once('=').ok_or_else(malformed)?;
            let number: RawFd = number.parse().map_err(|_| malformed())?;
            if number < 3 || descriptors.contains_key(name) {
                return Err(malformed());
            }
            descriptors.insert(name.to_owned(), adopt(number).ok_or_else(malformed)?);
        }
        Ok(Self { descriptors, data: data.into() })
    }

    /// Takes one descriptor.
    ///
    /// # Errors
    /// When no descriptor of that name was inherited, or it was taken before.
    pub fn take(&mut self, name: &str) -> Result<OwnedFd, InheritedError> {
        self.descriptors.remove(name).ok_or_else(|| InheritedError::NotGiven(name.to_owned()))
    }

    /// Takes every descriptor whose name begins with `kind` and a dot; gives the rest of the name with each.
    pub fn take_all(&mut self, kind: &str) -> Vec<(String, OwnedFd)> {
        let prefix = format!("{kind}.");
        let names: Vec<String> = self.descriptors.keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
        names
            .into_iter()
            .filter_map(|name| Some((name.strip_prefix(&prefix)?.to_owned(), self.descriptors.remove(&name)?)))
            .collect()
    }

    /// The path of the data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }
}

/// The reason why a program was not started in the way that `init` starts one.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum InheritedError {
    #[error("{0} is not set: this program is started by init")]
    Missing(&'static str),
    #[error("the descriptor {0:?} in POSTKILN_DESCRIPTORS is malformed, given twice or not open")]
    Malformed(String),
    #[error("no descriptor {0:?} was inherited")]
    NotGiven(String),
}

/// Takes ownership of an inherited number, and makes sure that no child inherits it in its turn.
#[allow(unsafe_code, reason = "the one place where numbers become descriptors")]
fn adopt(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: the borrow ends before anything could close the number; a number that is not open makes the call fail.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_setfd(borrowed, FdFlags::CLOEXEC).ok()?;
    // SAFETY: the descriptor is open, as the call above has shown; `init` passes each number for one purpose, `main`
    // calls this before it opens anything, and `from_environment` refuses a name twice.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}
