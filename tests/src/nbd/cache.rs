//! The volatile cache of a disk: sectors written and not yet flushed, over a file. Pure apart from that file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Octets of a sector, which a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// The fate of unflushed sectors when the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// All sectors are lost.
    AllGone,
    /// Each sector is lost or kept at random: a disk writes its cache in an order of its own.
    SomeGone {
        /// The start of the random numbers; the same seed keeps the same sectors.
        seed: u64,
    },
}

/// Numbers of a guest's requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Number of writes.
    pub writes: u64,
    /// Number of writes with FUA.
    pub forced: u64,
    /// Number of flushes.
    pub flushes: u64,
}

/// A file, and the writes that have not reached it.
#[derive(Debug)]
pub(super) struct Cache {
    file: File,
    size: u64,
    dirty: BTreeMap<u64, [u8; SECTOR as usize]>,
    counts: Counts,
    is_dead: bool,
    ignores_flushes: bool,
}

impl Cache {
    pub(super) const fn new(file: File, size: u64) -> Self {
        let counts = Counts { writes: 0, forced: 0, flushes: 0 };
        Self { file, size, dirty: BTreeMap::new(), counts, is_dead: false, ignores_flushes: false }
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) const fn ignore_flushes(&mut self, ignore: bool) {
        self.ignores_flushes = ignore;
    }

    pub(super) const fn power(&mut self) {
        self.is_dead = false;
    }

    pub(super) fn cut(&mut self, cut: Cut) {
        self.is_dead = true;
        let dirty = std::mem::take(&mut self.dirty);
        if let Cut::SomeGone { seed } = cut {
            let mut chance = seed | 1;
            for (sector, bytes) in dirty {
                // xorshift64: any generator does, as long as a seed repeats.
                chance ^= chance << 13;
                chance ^= chance >> 7;
                chance ^= chance << 17;
                if chance >> 63 == 1 {
                    self.file.write_all_at(&bytes, sector * SECTOR).expect("the file below");
                }
            }
        }
    }

    pub(super) fn read(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        self.within(offset, length)?;
        let first = offset / SECTOR;
        let end = (offset + length).div_ceil(SECTOR);
        let mut whole = vec![0; usize::try_from((end - first) * SECTOR).expect("a request's length")];
        self.file.read_exact_at(&mut whole, first * SECTOR)?;
        for (sector, bytes) in self.dirty.range(first..end) {
            let at = usize::try_from((sector - first) * SECTOR).expect("within");
            whole[at..at + bytes.len()].copy_from_slice(bytes);
        }
        let skip = usize::try_from(offset - first * SECTOR).expect("less than a sector");
        whole.drain(..skip);
        whole.truncate(usize::try_from(length).expect("a request's length"));
        Ok(whole)
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8], is_forced: bool) -> io::Result<()> {
        self.within(offset, bytes.len() as u64)?;
        self.counts.writes += 1;
        let first = offset / SECTOR;
        let end = (offset + bytes.len() as u64).div_ceil(SECTOR);
        // Only whole sectors are kept: edges are completed with the octets that are there.
        let mut whole = self.read(first * SECTOR, (end - first) * SECTOR)?;
        let skip = usize::try_from(offset - first * SECTOR).expect("less than a sector");
        whole[skip..skip + bytes.len()].copy_from_slice(bytes);
        for (sector, chunk) in (first..end).zip(whole.chunks_exact(SECTOR as usize)) {
            self.dirty.insert(sector, chunk.try_into().expect("a sector"));
        }
        if is_forced {
            self.counts.forced += 1;
            if !self.ignores_flushes {
                self.store(first, end)?;
            }
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.is_dead {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.counts.flushes += 1;
        if self.ignores_flushes { Ok(()) } else { self.store(0, u64::MAX) }
    }

    /// Writes sectors to the file. Whether the host's disk has them does not matter to a test.
    fn store(&mut self, first: u64, end: u64) -> io::Result<()> {
        let mut after = self.dirty.split_off(&first);
        let mut rest = after.split_off(&end);
        for (sector, bytes) in &after {
            self.file.write_all_at(bytes, sector * SECTOR)?;
        }
        self.dirty.append(&mut rest);
        Ok(())
    }

    fn within(&self, offset: u64, length: u64) -> io::Result<()> {
        if self.is_dead {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let end = offset.checked_add(length).filter(|end| *end <= self.size);
        end.map(drop).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}
