//! A disk in memory that writes down every operation, fails on demand, forgets a sync on demand, and can be looked at
//! as it is after the power was cut at any operation.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::storage::{File, Folder, Storage};

type Name = (Folder, String);

/// An operation that happened.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create(Name, usize),
    Rename(Name, Name),
    Remove(Name),
    Write(usize, usize, Vec<u8>),
    Length(usize, usize),
    Sync(usize),
    /// A sync that failed: what was not stable may be lost for ever, and later syncs do not know of it.
    SyncFailed(usize),
    SyncNames(Folder),
    /// A sync that was forgotten.
    Skipped,
    /// The load tried this event, or was told that it is stable.
    Tried(usize),
    Told(usize),
}

#[derive(Clone, Default)]
struct Inner {
    files: Vec<Vec<u8>>,
    names: BTreeMap<Name, usize>,
    ops: Vec<Op>,
    /// The names of steps, for those who choose where to fail.
    steps: Vec<&'static str>,
    fail_at: Option<usize>,
    dead_from: Option<usize>,
    syncs: usize,
    skip_sync: Option<usize>,
    /// Octets that files may have together.
    room: Option<usize>,
    damaged: Vec<String>,
}

/// The disk. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

/// Numbers that look like chance and are the same in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % limit
    }
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(crate) fn fail_at(&self, step: usize) {
        self.lock().fail_at = Some(step);
    }

    /// Fails every operation from this step on: the process is dead.
    pub(crate) fn die_at(&self, step: Option<usize>) {
        self.lock().dead_from = step;
    }

    pub(crate) fn skip_sync(&self, number: usize) {
        self.lock().skip_sync = Some(number);
    }

    pub(crate) fn set_room(&self, octets: Option<usize>) {
        self.lock().room = octets;
    }

    pub(crate) fn steps(&self) -> Vec<&'static str> {
        self.lock().steps.clone()
    }

    pub(crate) fn syncs(&self) -> usize {
        self.lock().syncs
    }

    pub(crate) fn with_ops<T>(&self, look: impl FnOnce(&[Op]) -> T) -> T {
        look(&self.lock().ops)
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().ops.len()
    }

    pub(crate) fn damaged(&self) -> Vec<String> {
        self.lock().damaged.clone()
    }

    pub(crate) fn note(&self, op: Op) {
        self.lock().ops.push(op);
    }

    /// Changes octets of a file where it lies, as a bad disk does.
    pub(crate) fn spoil(&self, folder: Folder, name: &str, at: usize, octets: &[u8]) {
        let mut inner = self.lock();
        let file = inner.names[&(folder, name.to_owned())];
        inner.files[file][at..at + octets.len()].copy_from_slice(octets);
    }

    /// The disk as it is after the power was cut when `count` operations had happened. Of what was not synced a random
    /// part survives, in sectors of 512 octets.
    pub(crate) fn after_cut(&self, count: usize, seed: u64) -> Self {
        let inner = self.with_ops(|ops| Inner::after_cut(&ops[..count], &mut Chance(seed)));
        Self(Arc::new(Mutex::new(inner)))
    }

    fn step(&self, name: &'static str) -> io::Result<MutexGuard<'_, Inner>> {
        let mut inner = self.lock();
        let number = inner.steps.len();
        inner.steps.push(name);
        let is_dead = inner.dead_from.is_some_and(|from| number >= from);
        if is_dead || inner.fail_at == Some(number) { Err(ErrorKind::Other.into()) } else { Ok(inner) }
    }

    /// A sync that is done, forgotten, or fails.
    fn sync(&self, op: Op, failed: Option<Op>) -> io::Result<()> {
        match self.step("sync") {
            Ok(mut inner) => {
                let number = inner.syncs;
                inner.syncs += 1;
                let op = if inner.skip_sync == Some(number) { Op::Skipped } else { op };
                inner.ops.push(op);
                Ok(())
            }
            Err(error) => {
                let mut inner = self.lock();
                if inner.dead_from.is_none() {
                    inner.ops.extend(failed);
                }
                Err(error)
            }
        }
    }
}

/// Shares: nothing, about a half, everything.
fn survives(chance: &mut Chance, share: usize) -> bool {
    chance.below(2) < share
}

impl Inner {
    fn after_cut(ops: &[Op], chance: &mut Chance) -> Self {
        let mut inner = Self::default();
        let mut written: BTreeMap<usize, Vec<Op>> = BTreeMap::new();
        let mut named: Vec<(Folder, Op)> = Vec::new();
        for op in ops {
            match op {
                Op::Create(name, file) => {
                    inner.files.resize(inner.files.len().max(file + 1), Vec::new());
                    named.push((name.0, op.clone()));
                }
                Op::Rename(name, _) | Op::Remove(name) => named.push((name.0, op.clone())),
                Op::Write(file, ..) | Op::Length(file, _) => written.entry(*file).or_default().push(op.clone()),
                Op::Sync(file) => {
                    written.remove(file).into_iter().flatten().for_each(|op| inner.write(&op, None));
                }
                Op::SyncFailed(file) => {
                    written.remove(file).into_iter().flatten().for_each(|op| inner.write(&op, Some((&mut *chance, 1))));
                }
                Op::SyncNames(folder) => {
                    let (now, later) = named.into_iter().partition(|(of, _)| of == folder);
                    named = later;
                    let now: Vec<(Folder, Op)> = now;
                    now.iter().for_each(|(_, op)| inner.name(op));
                }
                Op::Skipped | Op::Tried(_) | Op::Told(_) => {}
            }
        }
        for (_, writes) in written {
            let share = chance.below(3);
            writes.iter().for_each(|op| inner.write(op, Some((&mut *chance, share))));
        }
        let share = chance.below(3);
        named.iter().filter(|_| survives(chance, share)).for_each(|(_, op)| inner.name(op));
        inner.ops = inner.names.iter().map(|(name, file)| Op::Create(name.clone(), *file)).collect();
        for (file, content) in inner.files.clone().into_iter().enumerate() {
            inner.ops.extend([Op::Write(file, 0, content), Op::Sync(file)]);
        }
        inner.ops.extend([Op::SyncNames(Folder::Log), Op::SyncNames(Folder::Large)]);
        inner
    }

    fn name(&mut self, op: &Op) {
        match op {
            Op::Create(name, file) => drop(self.names.insert(name.clone(), *file)),
            Op::Rename(from, to) => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Op::Remove(name) => drop(self.names.remove(name)),
            _ => {}
        }
    }

    fn write(&mut self, op: &Op, mut chance: Option<(&mut Chance, usize)>) {
        match op {
            Op::Length(file, length) => self.files[*file].resize(*length, 0),
            Op::Write(file, at, bytes) => {
                let (mut at, mut rest) = (*at, bytes.as_slice());
                while !rest.is_empty() {
                    let (sector, after) = rest.split_at((512 - at % 512).min(rest.len()));
                    if chance.as_mut().is_none_or(|(chance, share)| survives(chance, *share)) {
                        let content = &mut self.files[*file];
                        content.resize(content.len().max(at + sector.len()), 0);
                        content[at..at + sector.len()].copy_from_slice(sector);
                    }
                    at += sector.len();
                    rest = after;
                }
            }
            _ => {}
        }
    }

    fn happen(&mut self, op: Op) {
        self.name(&op);
        self.write(&op, None);
        self.ops.push(op);
    }
}

struct Handle(Disk, usize);

impl Storage for Disk {
    fn create(&self, folder: Folder, name: &str) -> io::Result<Box<dyn File>> {
        let mut inner = self.step("create")?;
        let name = (folder, name.to_owned());
        if inner.names.contains_key(&name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = inner.files.len();
        inner.files.push(Vec::new());
        inner.happen(Op::Create(name, file));
        Ok(Box::new(Handle(self.clone(), file)))
    }

    fn open(&self, folder: Folder, name: &str) -> io::Result<Box<dyn File>> {
        let inner = self.step("open")?;
        let file = *inner.names.get(&(folder, name.to_owned())).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(Handle(self.clone(), file)))
    }

    fn reader(&self, _: Folder, _: &str) -> io::Result<OwnedFd> {
        Err(ErrorKind::Unsupported.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.step("rename")?;
        let (from, to) = ((Folder::Log, from.to_owned()), (Folder::Log, to.to_owned()));
        if !inner.names.contains_key(&from) || inner.names.contains_key(&to) {
            return Err(ErrorKind::NotFound.into());
        }
        inner.happen(Op::Rename(from, to));
        Ok(())
    }

    fn remove(&self, folder: Folder, name: &str) -> io::Result<()> {
        let mut inner = self.step("remove")?;
        let name = (folder, name.to_owned());
        if !inner.names.contains_key(&name) {
            return Err(ErrorKind::NotFound.into());
        }
        inner.happen(Op::Remove(name));
        Ok(())
    }

    fn names(&self, folder: Folder) -> io::Result<Vec<OsString>> {
        let inner = self.step("names")?;
        Ok(inner.names.keys().filter(|(of, _)| *of == folder).map(|(_, name)| name.into()).collect())
    }

    fn sync_names(&self, folder: Folder) -> io::Result<()> {
        self.sync(Op::SyncNames(folder), None)
    }

    fn copy_aside(&self, _: Folder, name: &str) -> io::Result<bool> {
        let mut inner = self.step("copy aside")?;
        let is_new = !inner.damaged.iter().any(|there| there == name);
        if is_new {
            inner.damaged.push(name.to_owned());
        }
        Ok(is_new)
    }

    fn set_aside(&self, folder: Folder, name: &OsStr) -> io::Result<()> {
        let mut inner = self.step("set aside")?;
        let name = name.to_str().unwrap().to_owned();
        inner.happen(Op::Remove((folder, name.clone())));
        inner.damaged.push(name);
        Ok(())
    }
}

impl File for Handle {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let op = Op::Write(self.1, usize::try_from(offset).unwrap(), bytes.to_vec());
        self.0.step("write")?.happen(op);
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let inner = self.0.step("read")?;
        let rest = inner.files[self.1].get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.step("length")?.files[self.1].len() as u64)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        let mut inner = self.0.step("allocate")?;
        let length = usize::try_from(length).unwrap();
        let taken: usize = inner.names.values().map(|file| inner.files[*file].len()).sum();
        if inner.room.is_some_and(|room| taken + length > room) {
            return Err(ErrorKind::StorageFull.into());
        }
        inner.happen(Op::Length(self.1, length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync(Op::Sync(self.1), Some(Op::SyncFailed(self.1)))
    }
}
