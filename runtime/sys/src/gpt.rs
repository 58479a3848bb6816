//! Growing the last partition of a disk that has become larger, tables and kernel both. Knows no file system.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::Path;

use gpt::disk::LogicalBlockSize;

const SECTOR: u64 = 512;
const MIB: u64 = 1 << 20;
/// The smallest growth in octets for which a partition table is changed.
const WORTH: u64 = 8 * MIB;

/// Lets a partition end where the disk ends, less room for the second table, and tells the kernel. Gives the new size
/// in octets, or `None` when the partition stays as it is: it is not the last one, or there is nothing to gain.
///
/// # Errors
/// When the disk has no valid table, or cannot be written. The second table is written and flushed first, so that at
/// every moment one of the two is whole.
pub fn grow(disk: &Path, number: u32) -> io::Result<Option<u64>> {
    let mut file = File::options().read(true).write(true).open(disk)?;
    let Some((edges, first, size)) = plan(&mut file, number)? else { return Ok(None) };
    edges.write(&mut file)?;
    resize(&file, number, first * SECTOR, size)?;
    Ok(Some(size))
}

/// The new edges of the disk, the partition's first sector, and its new length in octets.
fn plan(file: &mut File, number: u32) -> io::Result<Option<(Edges, u64, u64)>> {
    let mut edges = Edges::read(file)?;
    let total = edges.size / SECTOR;
    let config = gpt::GptConfig::new().writable(true).logical_block_size(LogicalBlockSize::Lb512);
    let mut table = config.open_from_device(&mut edges).map_err(io::Error::other)?;
    let mut partitions: BTreeMap<_, _> = table.partitions().clone();
    let end = partitions.values().filter(|other| other.is_used()).map(|other| other.last_lba).max();
    let Some(partition) = partitions.get_mut(&number).filter(|partition| Some(partition.last_lba) == end) else {
        return Ok(None);
    };
    // The end is at a whole mebibyte, with at least 33 sectors left for the second table.
    let last = (total.saturating_sub(34) / (MIB / SECTOR) * (MIB / SECTOR)).saturating_sub(1);
    if last.saturating_sub(partition.last_lba) < WORTH / SECTOR {
        return Ok(None);
    }
    partition.last_lba = last;
    let first = partition.first_lba;
    table.update_partitions(partitions).map_err(io::Error::other)?;
    table.write().map_err(io::Error::other)?;
    let protective = u32::try_from(total - 1).unwrap_or(u32::MAX);
    edges.protect(protective);
    Ok(Some((edges, first, (last + 1 - first) * SECTOR)))
}

/// The first and the last mebibyte of a disk, where both tables lie. The middle reads as zeros and is not written.
#[derive(Debug)]
struct Edges {
    head: Vec<u8>,
    tail: Vec<u8>,
    size: u64,
    at: u64,
}

impl Edges {
    fn read(file: &mut File) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        if size < 4 * MIB {
            return Err(io::Error::other("the disk is too small for a table"));
        }
        let mut part = |start| -> io::Result<Vec<u8>> {
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.take(MIB).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        Ok(Self { head: part(0)?, tail: part(size - MIB)?, size, at: 0 })
    }

    /// Lets the protective entry cover the whole disk (UEFI 2.10 §5.2.3): its length in sectors, at the end of the
    /// entry.
    fn protect(&mut self, sectors: u32) {
        if let Some(place) = self.head.get_mut(446 + 12..446 + 16) {
            place.copy_from_slice(&sectors.to_le_bytes());
        }
    }

    fn write(&self, file: &mut File) -> io::Result<()> {
        for (start, bytes) in [(self.size - MIB, &self.tail), (0, &self.head)] {
            file.seek(SeekFrom::Start(start))?;
            file.write_all(bytes)?;
            crate::sync::file(&*file)?;
        }
        Ok(())
    }

    /// The stored octets from the current position on, within one edge; `None` between the edges.
    fn here(&mut self) -> Option<&mut [u8]> {
        let tail = self.size - MIB;
        if self.at < MIB {
            self.head.get_mut(usize::try_from(self.at).ok()?..)
        } else if self.at >= tail {
            self.tail.get_mut(usize::try_from(self.at - tail).ok()?..)
        } else {
            None
        }
    }
}

impl Read for Edges {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size - self.at.min(self.size)).unwrap_or(usize::MAX);
        let count = match self.here() {
            Some(here) => {
                let count = here.len().min(into.len());
                into.iter_mut().zip(here).for_each(|(to, from)| *to = *from);
                count
            }
            None => {
                let count = left.min(into.len()).min(4096);
                into.iter_mut().take(count).for_each(|to| *to = 0);
                count
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Write for Edges {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let here = self.here().ok_or_else(|| io::Error::other("a table lies in the middle of the disk"))?;
        let count = here.len().min(from.len());
        here.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Edges {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Tells the kernel the new length: its view of a disk in use does not follow the table (linux/blkpg.h).
#[allow(unsafe_code, reason = "an ioctl without a safe wrapper")]
fn resize(disk: &File, number: u32, start: u64, length: u64) -> io::Result<()> {
    const BLKPG: libc::c_ulong = 0x1269;
    const BLKPG_RESIZE_PARTITION: libc::c_int = 3;
    #[repr(C)]
    struct Partition {
        start: i64,
        length: i64,
        number: libc::c_int,
        names: [u8; 128],
    }
    #[repr(C)]
    struct Argument {
        op: libc::c_int,
        flags: libc::c_int,
        length: libc::c_int,
        data: *mut Partition,
    }
    let mut partition = Partition {
        start: start.cast_signed(),
        length: length.cast_signed(),
        number: number.cast_signed(),
        names: [0; 128],
    };
    let length = libc::c_int::try_from(size_of::<Partition>()).unwrap_or(0);
    let mut argument = Argument { op: BLKPG_RESIZE_PARTITION, flags: 0, length, data: &raw mut partition };
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&disk.as_fd());
    // SAFETY: both structures are laid out as linux/blkpg.h has them and outlive the call, which keeps no pointer.
    if unsafe { libc::ioctl(descriptor, BLKPG, &raw mut argument) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(size: u64) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(size).unwrap();
        let config = gpt::GptConfig::new().writable(true);
        let mut table = config.create_from_device(&mut file, None).unwrap();
        table.add_partition("root", 16 * MIB, gpt::partition_types::LINUX_FS, 0, None).unwrap();
        table.add_partition("data", 8 * MIB, gpt::partition_types::LINUX_FS, 0, None).unwrap();
        table.write().unwrap();
        file
    }

    #[test]
    fn the_last_partition_takes_what_the_disk_gained() {
        let mut file = disk(64 * MIB);
        file.set_len(256 * MIB).unwrap();
        assert!(plan(&mut file, 1).unwrap().is_none(), "not the last one");
        let (edges, first, size) = plan(&mut file, 2).unwrap().unwrap();
        edges.write(&mut file).unwrap();
        assert_eq!((first * SECTOR + size) % MIB, 0);
        let config = gpt::GptConfig::new().only_valid_headers(true);
        let table = config.open_from_device(&mut file).unwrap();
        let data = table.partitions().get(&2).unwrap();
        assert_eq!((data.first_lba, (data.last_lba + 1 - data.first_lba) * SECTOR), (first, size));
        assert!(size > 200 * MIB);
        assert!(plan(&mut file, 2).unwrap().is_none(), "nothing more to gain");
    }
}
