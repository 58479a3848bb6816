//! The content of a disk or partition, judged by its octets; and the mark of a file system that is being made. Changes
//! nothing else. Start at [`look`].

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{During, NodeError};
use postkiln_sys::block::{self, Device};

/// The label of our data file systems.
pub(super) const LABEL: &str = "postkiln-data";

/// The kinds of content of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Zeros wherever a file system, a partition table or a volume manager leaves its mark; or what was that before we
    /// began to make our file system, and were cut off.
    Blank,
    /// Our data file system, of this size in octets.
    Ours(u64),
    /// Something else, described for a person.
    Foreign(String),
}

const KIB: u64 = 1024;
const MIB: u64 = 1 << 20;
/// The ext4 superblock, and its copies for blocks of 1 KiB and 4 KiB (ext4(5): `sparse_super`).
const SUPERBLOCK: u64 = KIB;
const COPIES: [u64; 2] = [8193 * KIB, 128 * MIB];
const WINDOW: u64 = 64 * KIB;
const BLOCK: u64 = 4 * KIB;
const MAKING: &[u8] = b"postkiln-data is being made here\n";

/// Reads those places of a device where others leave their marks, and says what the device holds.
pub(super) fn look(path: &Path) -> io::Result<Content> {
    judge(&mut File::open(path)?)
}

/// Says on the device itself that our file system is being made on it: whoever finds the mark knows that it was blank,
/// and begins again. The mark lies behind the file system, in the last whole block.
pub(super) fn begin_making(device: &Device) -> io::Result<()> {
    write_mark(device, MAKING)
}

/// Takes the mark of [`begin_making`] away, once the file system is complete and on the disk.
pub(super) fn end_making(device: &Device) -> io::Result<()> {
    write_mark(device, &[0; MAKING.len()])
}

/// Where the mark lies: the octets before it are the file system's.
pub(super) const fn mark_place(size: u64) -> u64 {
    (size / BLOCK).saturating_sub(1) * BLOCK
}

fn write_mark(device: &Device, mark: &[u8]) -> io::Result<()> {
    let file = File::options().write(true).open(device.node())?;
    // The sync comes first: mke2fs's writes must be on the disk before the word that they are there.
    file.sync_all()?;
    file.write_all_at(mark, mark_place(device.size))?;
    file.sync_all()
}

fn judge(device: &mut (impl Read + Seek)) -> io::Result<Content> {
    let size = device.seek(SeekFrom::End(0))?;
    if read_at(device, mark_place(size), MAKING.len() as u64)? == MAKING {
        return Ok(Content::Blank);
    }
    let head = read_at(device, 0, MIB.min(size))?;
    if let Some(size) = ours(&head) {
        return Ok(Content::Ours(size));
    }
    if let Some(at) = first_mark(&head) {
        return Ok(Content::Foreign(describe(&head, at as u64)));
    }
    // The end holds the second partition table, and the marks of RAID and ZFS.
    let elsewhere = COPIES.into_iter().map(|at| (at, WINDOW)).chain([(size.saturating_sub(MIB), MIB)]);
    for (start, length) in elsewhere.filter(|(start, _)| *start < size) {
        let part = read_at(device, start, length.min(size - start))?;
        if let Some(at) = first_mark(&part) {
            return Ok(Content::Foreign(describe(&head, start + at as u64)));
        }
    }
    Ok(Content::Blank)
}

fn read_at(device: &mut (impl Read + Seek), start: u64, length: u64) -> io::Result<Vec<u8>> {
    device.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    device.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn first_mark(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|octet| *octet != 0)
}

/// The size that the superblock of our file system names.
fn ours(head: &[u8]) -> Option<u64> {
    let superblock = head.get(usize::try_from(SUPERBLOCK).ok()?..)?;
    let word = |at: usize| Some(u64::from(u32::from_le_bytes(superblock.get(at..at + 4)?.try_into().ok()?)));
    let magic = superblock.get(0x38..0x3a)? == [0x53, 0xef];
    let label = superblock.get(0x78..0x88)?.split(|octet| *octet == 0).next()?;
    if !magic || label != LABEL.as_bytes() {
        return None;
    }
    let blocks = word(0x4)? | word(0x150)? << 32;
    blocks.checked_mul(1024_u64.checked_shl(u32::try_from(word(0x18)?).ok()?)?)
}

fn describe(head: &[u8], at: u64) -> String {
    let has = |place: usize, magic: &[u8]| head.get(place..place + magic.len()) == Some(magic);
    let known = [
        (has(0, b"XFSB"), "an XFS file system"),
        (has(0x10040, b"_BHRfS_M"), "a Btrfs file system"),
        (has(0, b"LUKS"), "an encrypted volume (LUKS)"),
        (has(512, b"LABELONE"), "an LVM volume"),
        (has(3, b"NTFS"), "an NTFS file system"),
        (has(512, b"EFI PART"), "a partition table (GPT)"),
        (has(82, b"FAT32") || has(54, b"FAT1"), "a FAT file system"),
        (has(510, &[0x55, 0xaa]), "a partition table or boot sector"),
    ];
    if has(1080, &[0x53, 0xef]) {
        let label = head.get(1024 + 0x78..1024 + 0x88).unwrap_or_default();
        let label = label.split(|octet| *octet == 0).next().unwrap_or_default();
        return format!("an ext file system labelled \"{}\"", label.escape_ascii());
    }
    let name = known.into_iter().find(|(found, _)| *found).map(|(_, name)| name);
    name.map_or_else(|| format!("something unknown (octet {at} is not zero)"), str::to_owned)
}

/// A partition of a disk, by its name.
pub(super) fn partition(disk: &Device, label: &str) -> Result<Device, NodeError> {
    let partitions = block::partitions(&disk.name).during(|| format!("the partitions of {}", disk.name))?;
    let found = partitions.into_iter().find(|device| device.label.as_deref() == Some(label));
    found.ok_or_else(|| NodeError::Machine(format!("disk {} has no partition {label:?}", disk.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(marks: &[(u64, &[u8])], expected: &Content) {
        let mut disk = vec![0; 200 << 20];
        for (at, bytes) in marks {
            let at = usize::try_from(*at).unwrap();
            disk[at..at + bytes.len()].copy_from_slice(bytes);
        }
        assert_eq!(&judge(&mut io::Cursor::new(disk)).unwrap(), expected);
    }

    #[test]
    fn only_zeros_are_blank_and_only_our_label_is_ours() {
        let foreign = |text: &str| Content::Foreign(text.to_owned());
        check(&[], &Content::Blank);
        check(&[(0, b"XFSB")], &foreign("an XFS file system"));
        check(&[(1080, &[0x53, 0xef])], &foreign("an ext file system labelled \"\""));
        let photographs: (u64, &[u8]) = (1024 + 0x78, b"photographs");
        check(&[(1080, &[0x53, 0xef]), photographs], &foreign("an ext file system labelled \"photographs\""));
        check(&[(700_000, b"x")], &foreign("something unknown (octet 700000 is not zero)"));
        check(&[(128 * MIB + 56, &[0x53])], &foreign("something unknown (octet 134217784 is not zero)"));
        check(&[((200 << 20) - 512, b"EFI PART")], &foreign("something unknown (octet 209714688 is not zero)"));
        let label = (1024 + 0x78, LABEL.as_bytes());
        let blocks: (u64, &[u8]) = (1024 + 4, &[0, 1, 0, 0]);
        let block_size: (u64, &[u8]) = (1024 + 0x18, &[2]);
        check(&[(1080, &[0x53, 0xef]), label, blocks, block_size], &Content::Ours(256 * 4096));
    }

    /// The power failed inside mke2fs: what it left is nobody's.
    #[test]
    fn a_file_system_that_was_not_finished_is_made_again() {
        let half: (u64, &[u8]) = (128 * MIB + 56, &[0x53, 0xef]);
        check(&[half, (mark_place(200 << 20), MAKING)], &Content::Blank);
        check(
            &[half, (mark_place(200 << 20), &[0; MAKING.len()])],
            &Content::Foreign("something unknown (octet 134217784 is not zero)".to_owned()),
        );
    }
}
