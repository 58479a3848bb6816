//! The disk's partitions: `layout.json`, the areas for bundles as large as the site needs them, and the partition table
//! made from it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition::Partition;
use gpt::partition_types::{OperatingSystem, Type};
use postkiln_bundle::Manifest;
use serde::Deserialize;

use crate::ImageError;

const SECTOR: u64 = 512;
const MIB: u64 = 1 << 20;

/// The layout: fixed names and identifiers, and sizes in steps, so that images of the same version are cut the same way
/// unless one site is far larger than the other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layout {
    disk: String,
    /// The volume id of the ESP.
    pub(crate) volume: u32,
    partitions: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    mib: u64,
    r#type: String,
    guid: String,
}

/// The place of a partition, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: u64,
    pub(crate) size: u64,
}

impl Layout {
    fn builtin() -> Result<Self, ImageError> {
        serde_json::from_str(include_str!("../layout.json")).map_err(|error| ImageError::Builtin(error.to_string()))
    }

    /// The built-in layout with room for a bundle in each of the two areas for bundles: `bundle-a` and `bundle-b`.
    pub(crate) fn with_room(manifest: &Manifest) -> Result<Self, ImageError> {
        let mut layout = Self::builtin()?;
        for entry in layout.partitions.iter_mut().filter(|entry| entry.name.starts_with("bundle-")) {
            entry.mib = entry.mib.max(manifest.room().div_ceil(MIB));
        }
        Ok(layout)
    }

    /// The size of the whole disk in octets: a mebibyte before the first partition and one behind the last, for the two
    /// tables.
    pub(crate) fn size(&self) -> u64 {
        self.partitions.iter().map(|entry| entry.mib * MIB).sum::<u64>() + 2 * MIB
    }

    pub(crate) fn place(&self, name: &str) -> Result<Place, ImageError> {
        let mut start = MIB;
        for entry in &self.partitions {
            if entry.name == name {
                return Ok(Place { start, size: entry.mib * MIB });
            }
            start += entry.mib * MIB;
        }
        Err(ImageError::Builtin(format!("layout.json has no partition {name}")))
    }

    /// Writes both tables and the first sector with its boot code.
    pub(crate) fn write(&self, disk: &mut File, boot_code: &[u8]) -> Result<(), ImageError> {
        let wrong = ImageError::make("the partition table");
        let fail = |error: &dyn std::fmt::Display| wrong(error.to_string());
        let mut table = BTreeMap::new();
        for (number, entry) in (1..).zip(&self.partitions) {
            let place = self.place(&entry.name)?;
            let partition = Partition {
                part_type_guid: Type {
                    guid: entry.r#type.parse().map_err(|error| fail(&error))?,
                    os: OperatingSystem::None,
                },
                part_guid: entry.guid.parse().map_err(|error| fail(&error))?,
                first_lba: place.start / SECTOR,
                last_lba: (place.start + place.size) / SECTOR - 1,
                flags: 0,
                name: entry.name.clone(),
            };
            table.insert(number, partition);
        }
        let guid = Some(self.disk.parse().map_err(|error| fail(&error))?);
        let config = gpt::GptConfig::new().writable(true).logical_block_size(LogicalBlockSize::Lb512);
        let mut gpt = config.create_from_device(&mut *disk, guid).map_err(|error| fail(&error))?;
        gpt.update_partitions(table).map_err(|error| fail(&error))?;
        gpt.write().map_err(|error| fail(&error))?;
        let last = u32::try_from(self.size() / SECTOR - 1).unwrap_or(u32::MAX);
        let mut mbr = ProtectiveMBR::with_lb_size(last);
        let code = boot_code.get(..440).and_then(|code| code.try_into().ok());
        mbr.set_bootcode(code.ok_or_else(|| wrong("boot.img is too short".to_owned()))?);
        mbr.overwrite_lba0(disk).map_err(|error| fail(&error))?;
        Ok(())
    }
}

/// Writes content at a place and leaves holes where it is zero. The file must read as zeros there.
pub(crate) fn put(disk: &mut File, place: Place, what: &str, content: &[u8]) -> Result<(), ImageError> {
    const CHUNK: usize = 1 << 16;
    if content.len() as u64 > place.size {
        return Err(ImageError::TooLarge { what: what.to_owned(), size: content.len() as u64, room: place.size });
    }
    let write = |disk: &mut File| {
        for (number, chunk) in (0..).zip(content.chunks(CHUNK)) {
            if chunk.iter().any(|octet| *octet != 0) {
                disk.seek(SeekFrom::Start(place.start + number * CHUNK as u64))?;
                disk.write_all(chunk)?;
            }
        }
        Ok(())
    };
    write(disk).map_err(|error: std::io::Error| ImageError::make("the disk image")(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_independent_reader_finds_the_partitions_where_the_layout_says() {
        check_cut(&Layout::builtin().unwrap());
        check_cut(&Layout::with_room(&manifest(100 << 20)).unwrap());
    }

    /// Of a bundle with one file of so many octets.
    fn manifest(size: u64) -> Manifest {
        let (path, owner) = ("seeds/sqlite.sql".to_owned(), postkiln_bundle::Owner::Directory);
        let file = postkiln_bundle::FileEntry { path, size, sha256: "0".repeat(64), owner };
        Manifest::new(1, "mail.example.org", vec![file], Vec::new())
    }

    #[test]
    fn the_areas_for_bundles_grow_with_the_site() {
        let room = |size: u64| {
            let layout = Layout::with_room(&manifest(size)).unwrap();
            let sizes = ["bundle-a", "bundle-b", "root-a"].map(|name| layout.place(name).unwrap().size >> 20);
            (sizes, layout.size() >> 20)
        };
        assert_eq!(room(1000), ([32, 32, 128], 643));
        assert_eq!(room(100 << 20), ([128, 128, 128], 835));
    }

    fn check_cut(layout: &Layout) {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(layout.size()).unwrap();
        layout.write(&mut file, &[0x90; 512]).unwrap();
        let disk = gpt::GptConfig::new().only_valid_headers(true).open_from_device(&mut file).unwrap();
        let names: Vec<&str> = disk.partitions().values().map(|partition| partition.name.as_str()).collect();
        assert_eq!(names, ["bios", "esp", "root-a", "bundle-a", "root-b", "bundle-b", "data"]);
        for partition in disk.partitions().values() {
            let place = layout.place(&partition.name).unwrap();
            assert_eq!(partition.first_lba * SECTOR, place.start);
            assert_eq!((partition.last_lba + 1) * SECTOR, place.start + place.size);
        }
    }

    #[test]
    fn content_that_does_not_fit_is_refused() {
        let mut file = tempfile::tempfile().unwrap();
        let error = put(&mut file, Place { start: 0, size: 4 }, "the bundle", b"12345").unwrap_err();
        assert_eq!(error.to_string(), "the bundle takes 5 octets, its partition has 4");
    }
}
