//! The two files beside a site, and how they change together.
//!
//! `secrets.age` is written first, `secrets.lock` after it, each whole or not at all. States that a crash can leave:
//!
//! | cut after | state | what the next command does |
//! |---|---|---|
//! | nothing, or a part of `secrets.age.new` | both files are the old ones | nothing: the next write replaces the remnant |
//! | `secrets.age` renamed, or a part of `secrets.lock.new` | the vault says that it replaces exactly this lock | writes the lock |
//! | `secrets.lock` renamed | both are the new ones | nothing |
//!
//! Any other difference was made by people (a merge, a file not committed, a recipient written in by hand): it is told,
//! and nothing is changed until somebody says so.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use postkiln_findings::Diagnostic;
use postkiln_site::{SECRETS_AGE, SECRETS_LOCK, SecretsLock, ordinary};
use sha2::{Digest, Sha256};

use crate::keys::hex;
use crate::vault::placed;
use crate::{Identity, SecretsError, Vault, seal};

/// The folder of a site, with `secrets.age` and `secrets.lock` in it.
pub struct Folder {
    path: PathBuf,
    /// The lock that is held while somebody changes the files; `None` for readers.
    _alone: Option<File>,
}

/// The opened vault, and whether the lock is its own.
pub struct Opened {
    /// The decrypted content.
    pub vault: Vault,
    /// How `secrets.lock` relates to the vault.
    pub state: State,
}

/// How `secrets.age` and `secrets.lock` relate to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The two files belong together.
    Whole,
    /// A command was cut off before it wrote the lock.
    CutOff,
    /// The files differ for another reason; each sentence names a difference.
    Different(Vec<String>),
}

impl Folder {
    /// Opens the folder for reading; takes no lock.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), _alone: None }
    }

    /// Opens the folder for changes: nobody else can change the files until this value is dropped.
    ///
    /// # Errors
    /// When another program holds the lock, or the folder cannot be opened.
    pub fn alone(path: &Path) -> Result<Self, SecretsError> {
        let failed = |source| SecretsError::Io { what: "take", path: path.to_owned(), source };
        let folder = File::open(path).map_err(failed)?;
        folder.try_lock().map_err(|error| failed(error.into()))?;
        Ok(Self { path: path.to_owned(), _alone: Some(folder) })
    }

    /// Reads `secrets.lock`, with the warnings about it; the result is empty when there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read; with all findings when its content is wrong.
    pub fn lock(&self) -> Result<(SecretsLock, Vec<Diagnostic>), Vec<Diagnostic>> {
        match ordinary(&self.path.join(SECRETS_LOCK)) {
            Ok(bytes) => SecretsLock::parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((SecretsLock::default(), Vec::new())),
            Err(error) => {
                let message = format!("{SECRETS_LOCK} cannot be read: {error}");
                Err(vec![Diagnostic::new(postkiln_findings::codes::LOCK, message)])
            }
        }
    }

    /// Whether `secrets.age` exists.
    #[must_use]
    pub fn has_vault(&self) -> bool {
        self.path.join(SECRETS_AGE).exists()
    }

    /// Whether others can read `secrets.age`. The content is encrypted, but nobody else needs the file.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        fs::metadata(self.path.join(SECRETS_AGE)).is_ok_and(|found| found.mode() & 0o077 != 0)
    }

    /// Whether `secrets.age` is the file that the lock was written with; `None` when there is no such file. Decrypts
    /// nothing.
    ///
    /// # Errors
    /// When `secrets.age` cannot be read.
    pub fn is_sealed_by(&self, lock: &SecretsLock) -> Result<Option<bool>, SecretsError> {
        let Some(bytes) = self.read(SECRETS_AGE)? else { return Ok(None) };
        Ok(Some(lock.sealed.as_ref().is_some_and(|sealed| sealed.value == digest(&bytes))))
    }

    /// Opens the encrypted file and compares it with the lock.
    ///
    /// # Errors
    /// When there is no encrypted file, it is damaged, or this identity cannot open it.
    pub fn open(&self, identity: &Identity) -> Result<Opened, SecretsError> {
        let sealed = self.read(SECRETS_AGE)?.ok_or(SecretsError::NoVault)?;
        let vault = Vault::from_json(&seal::open(&sealed, identity)?)?;
        let lock = self.read(SECRETS_LOCK)?;
        let state = state(&vault, &sealed, lock.as_deref());
        Ok(Opened { vault, state })
    }

    /// [`open`](Self::open) for a change: a lock that a crash has kept back is written, any other difference
    /// is an error.
    ///
    /// # Errors
    /// The errors of `open`, and one for files that do not belong together.
    pub fn open_whole(&self, identity: &Identity) -> Result<Vault, SecretsError> {
        let Opened { vault, state } = self.open(identity)?;
        match state {
            State::Whole => Ok(vault),
            State::CutOff => self.mend(&vault).map(|()| vault),
            State::Different(differences) => Err(SecretsError::Mismatch(differences)),
        }
    }

    /// Writes `secrets.age`, then `secrets.lock`.
    ///
    /// # Errors
    /// When there is no recipient, or a file cannot be written; the files are then in one of the states listed above.
    pub fn write(&self, vault: &mut Vault) -> Result<(), SecretsError> {
        for action in self.actions(vault)? {
            self.act(action)?;
        }
        Ok(())
    }

    /// Writes the lock anew from the vault beside it.
    ///
    /// # Errors
    /// When the lock cannot be written.
    pub fn mend(&self, vault: &Vault) -> Result<(), SecretsError> {
        let sealed = self.read(SECRETS_AGE)?.ok_or(SecretsError::NoVault)?;
        for action in replace(SECRETS_LOCK, text(vault, &sealed).into_bytes(), 0o644) {
            self.act(action)?;
        }
        Ok(())
    }

    /// The steps of a write, in order. They are data so that a test can stop after each.
    fn actions(&self, vault: &mut Vault) -> Result<Vec<Action>, SecretsError> {
        vault.replaces = self.read(SECRETS_LOCK)?.map_or_else(String::new, |lock| digest(&lock));
        let sealed = seal::seal(&vault.to_json()?, &vault.recipients)?;
        let lock = text(vault, &sealed).into_bytes();
        Ok(replace(SECRETS_AGE, sealed, 0o600).into_iter().chain(replace(SECRETS_LOCK, lock, 0o644)).collect())
    }

    fn act(&self, action: Action) -> Result<(), SecretsError> {
        let path = self.path.join(action.file());
        let failed = |source| SecretsError::Io { what: "write", path: path.clone(), source };
        let remnant = beside(&path);
        match action {
            Action::Write(_, bytes, mode) => {
                // A remnant of a crash is of no use, and may have another mode.
                match fs::remove_file(&remnant) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                    _ => {}
                }
                let mut file =
                    OpenOptions::new().write(true).create_new(true).mode(mode).open(&remnant).map_err(failed)?;
                file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)
            }
            Action::Rename(_) => fs::rename(&remnant, &path).map_err(failed),
            Action::Settle(_) => File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(failed),
        }
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, SecretsError> {
        let path = self.path.join(name);
        match ordinary(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SecretsError::Io { what: "read", path, source }),
        }
    }
}

/// One step of a write.
enum Action {
    /// The new content beside the file, on stable storage.
    Write(&'static str, Vec<u8>, u32),
    /// The new content takes the file's place.
    Rename(&'static str),
    /// The folder is flushed, so that the new name survives a crash.
    Settle(&'static str),
}

impl Action {
    const fn file(&self) -> &'static str {
        match self {
            Self::Write(file, ..) | Self::Rename(file) | Self::Settle(file) => file,
        }
    }
}

const fn replace(file: &'static str, bytes: Vec<u8>, mode: u32) -> [Action; 3] {
    [Action::Write(file, bytes, mode), Action::Rename(file), Action::Settle(file)]
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// The lock that belongs to this vault and to the encrypted file made of it.
fn lock(vault: &Vault, sealed: &[u8]) -> SecretsLock {
    SecretsLock { sealed: Some(placed(digest(sealed))), ..vault.lock() }
}

fn text(vault: &Vault, sealed: &[u8]) -> String {
    lock(vault, sealed).print()
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn state(vault: &Vault, sealed: &[u8], found: Option<&[u8]>) -> State {
    let wanted = lock(vault, sealed);
    if found.is_some_and(|found| found == wanted.print().as_bytes()) {
        return State::Whole;
    }
    if found.map_or_else(String::new, digest) == vault.replaces {
        return State::CutOff;
    }
    let Some(found) = found else { return State::Different(vec!["there is no secrets.lock".to_owned()]) };
    match SecretsLock::parse(found) {
        Err(_) => State::Different(vec!["secrets.lock is malformed".to_owned()]),
        Ok((found, _)) => {
            let differences = differences(&wanted, &found);
            // A difference in comments or line ends alone does not count.
            if differences.is_empty() { State::Whole } else { State::Different(differences) }
        }
    }
}

fn differences(wanted: &SecretsLock, found: &SecretsLock) -> Vec<String> {
    let mut said = Vec::new();
    let names = |lock: &SecretsLock| lock.recipients.iter().map(|one| one.value.clone()).collect::<BTreeSet<_>>();
    let (sealed_to, named) = (names(wanted), names(found));
    said.extend(named.difference(&sealed_to).map(|one| format!("secrets.age is not encrypted to {one}")));
    said.extend(sealed_to.difference(&named).map(|one| format!("secrets.lock does not name {one}")));
    let names: BTreeSet<&String> = wanted.secrets.keys().chain(found.secrets.keys()).collect();
    for name in names {
        match (wanted.secrets.get(name), found.secrets.get(name)) {
            (Some(_), None) => said.push(format!("secrets.lock does not have {name:?}")),
            (None, Some(_)) => said.push(format!("secrets.age does not have {name:?}")),
            (Some(wanted), Some(found)) if wanted.value != found.value => {
                said.push(format!("{name:?} is another version in each"));
            }
            _ => {}
        }
    }
    let seal = |lock: &SecretsLock| lock.sealed.as_ref().map(|sealed| sealed.value.clone());
    if said.is_empty() && seal(wanted) != seal(found) {
        said.push("secrets.lock was written with another secrets.age of the same secrets".to_owned());
    }
    said
}

#[cfg(test)]
mod tests;
