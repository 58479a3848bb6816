//! A disk in memory that fails on demand and forgets, when the power is cut, what was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::storage::{Storage, Stored};

/// The part of unsynced writes that survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survives {
    /// Neither content nor names survive.
    Nothing,
    /// Names survive, but files are as they were at their last sync.
    Names,
    /// Names survive, and of each file's unsynced writes only the first.
    FirstWrites,
    /// Names survive, and of each file's unsynced writes only the last: the disk reordered them.
    LastWrites,
    /// Everything survives: the process died, the machine did not.
    All,
}

impl Survives {
    pub(crate) const EACH: [Self; 5] = [Self::Nothing, Self::Names, Self::FirstWrites, Self::LastWrites, Self::All];
}

/// The disk. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Model(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    damaged: Vec<String>,
    /// Names of directories.
    directories: BTreeSet<String>,
    /// Operations so far, by name.
    steps: Vec<&'static str>,
    /// Fails the operation with this number.
    fail_at: Option<usize>,
    /// Fails every operation from this number on: the process is dead.
    dead_from: Option<usize>,
}

#[derive(Clone, Default)]
struct File {
    synced: Vec<u8>,
    writes: Vec<Write>,
}

#[derive(Clone)]
enum Write {
    At(u64, Vec<u8>),
    Length(u64),
}

impl File {
    fn content(&self, survives: Survives) -> Vec<u8> {
        let kept = match survives {
            Survives::Nothing | Survives::Names => &[],
            Survives::FirstWrites => &self.writes[..self.writes.len().min(1)],
            Survives::LastWrites => &self.writes[self.writes.len().saturating_sub(1)..],
            Survives::All => &self.writes[..],
        };
        let mut bytes = self.synced.clone();
        for write in kept {
            match write {
                Write::Length(length) => bytes.resize(usize::try_from(*length).unwrap(), 0),
                Write::At(offset, written) => {
                    let start = usize::try_from(*offset).unwrap();
                    bytes.resize(bytes.len().max(start + written.len()), 0);
                    bytes[start..start + written.len()].copy_from_slice(written);
                }
            }
        }
        bytes
    }
}

impl Model {
    pub(crate) fn fail_at(&self, step: usize) {
        self.lock().fail_at = Some(step);
    }

    pub(crate) fn die_at(&self, step: usize) {
        self.lock().dead_from = Some(step);
    }

    pub(crate) fn steps(&self) -> Vec<&'static str> {
        self.lock().steps.clone()
    }

    /// Puts a directory where a message could be.
    pub(crate) fn add_directory(&self, name: &str) {
        self.lock().directories.insert(name.to_owned());
    }

    pub(crate) fn damaged(&self) -> Vec<String> {
        self.lock().damaged.clone()
    }

    /// The disk as the next start finds it.
    pub(crate) fn after_power_cut(&self, survives: Survives) -> Self {
        let state = self.lock();
        let names = if survives == Survives::Nothing { &state.synced_names } else { &state.names };
        let mut next = State::default();
        for (name, file) in names {
            next.names.insert(name.clone(), next.files.len());
            next.files.push(File { synced: state.files[*file].content(survives), writes: Vec::new() });
        }
        next.synced_names = next.names.clone();
        next.directories = state.directories.clone();
        Self(Arc::new(Mutex::new(next)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn step(&self, name: &'static str) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        let number = state.steps.len();
        state.steps.push(name);
        let dead = state.dead_from.is_some_and(|from| number >= from);
        if dead || state.fail_at == Some(number) { Err(ErrorKind::Other.into()) } else { Ok(state) }
    }
}

struct Handle(Model, usize);

impl Storage for Model {
    fn create(&self, name: &str) -> io::Result<Box<dyn Stored>> {
        let mut state = self.step("create")?;
        if state.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let number = state.files.len();
        state.files.push(File::default());
        state.names.insert(name.to_owned(), number);
        Ok(Box::new(Handle(self.clone(), number)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Stored>> {
        let state = self.step("open")?;
        if state.directories.contains(name) {
            return Err(ErrorKind::IsADirectory.into());
        }
        let number = *state.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(Handle(self.clone(), number)))
    }

    fn is_file(&self, name: &str) -> io::Result<bool> {
        let state = self.step("kind")?;
        if state.directories.contains(name) {
            Ok(false)
        } else {
            Ok(state.names.get(name).map(|_| true).ok_or(ErrorKind::NotFound)?)
        }
    }

    fn reader(&self, _: &str) -> io::Result<OwnedFd> {
        Err(ErrorKind::Unsupported.into())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step("remove")?.names.remove(name);
        Ok(())
    }

    fn set_aside(&self, name: &OsStr) -> io::Result<()> {
        let mut state = self.step("set aside")?;
        let name = name.to_str().unwrap();
        state.names.remove(name);
        state.directories.remove(name);
        state.damaged.push(name.to_owned());
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        let state = self.step("names")?;
        let names: BTreeSet<&String> = state.names.keys().chain(&state.directories).collect();
        Ok(names.into_iter().map(OsString::from).collect())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.step("sync names")?;
        state.synced_names = state.names.clone();
        Ok(())
    }
}

impl Stored for Handle {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let write = Write::At(offset, bytes.to_vec());
        self.0.step("write")?.files[self.1].writes.push(write);
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let content = self.0.step("read")?.files[self.1].content(Survives::All);
        let rest = content.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.step("truncate")?.files[self.1].writes.push(Write::Length(length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.0.step("sync")?;
        let file = &mut state.files[self.1];
        file.synced = file.content(Survives::All);
        file.writes.clear();
        Ok(())
    }
}
