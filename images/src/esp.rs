//! The EFI system partition: GRUB for UEFI, its configuration and state block for both firmwares, and slot a's kernel.

use std::io::{Cursor, Write};

use fatfs::{Date, DateTime, FatType, FileSystem, FormatVolumeOptions, FsOptions, Time, TimeProvider};

use crate::ImageError;
use crate::kernel::Choice;

/// The size of GRUB's environment block. It never changes, because the block is rewritten in place.
const STATE_SIZE: usize = 1024;
const STATE: &str = "# GRUB Environment Block\n# Postkiln: the system slots. GRUB and init write here.\n\
    slot=a\ntries_a=3\ntries_b=0\n";
/// Octets of a cluster: the smallest, so that 64 MiB have enough clusters for FAT32, which firmware must read (UEFI
/// 2.10 §13.3.1).
const CLUSTER: u32 = 512;

/// The files and settings of the partition.
pub(crate) struct Contents<'c> {
    pub(crate) loader: &'c [u8],
    pub(crate) kernel: &'c [u8],
    pub(crate) initrd: &'c [u8],
}

/// Makes the file system of `size` octets with the volume id `volume`.
pub(crate) fn make(size: u64, volume: u32, contents: &Contents<'_>) -> Result<Vec<u8>, ImageError> {
    let wrong = ImageError::make("the EFI system partition");
    let configuration = include_str!("../grub.cfg").replace("@COMMAND_LINE@", &Choice::builtin()?.command_line);
    let write = || -> std::io::Result<Vec<u8>> {
        let mut disk = Cursor::new(vec![0; usize::try_from(size).unwrap_or(0)]);
        let format = FormatVolumeOptions::new()
            .fat_type(FatType::Fat32)
            .bytes_per_cluster(CLUSTER)
            .volume_id(volume)
            .volume_label(*b"POSTKILN   ");
        fatfs::format_volume(&mut disk, format)?;
        disk.set_position(0);
        let system = FileSystem::new(&mut disk, FsOptions::new().time_provider(&STOPPED))?;
        let root = system.root_dir();
        for folder in ["EFI", "EFI/BOOT", "postkiln", "postkiln/a", "postkiln/b"] {
            root.create_dir(folder)?;
        }
        let state = state();
        let files: [(&str, &[u8]); 5] = [
            ("EFI/BOOT/BOOTX64.EFI", contents.loader),
            ("postkiln/grub.cfg", configuration.as_bytes()),
            ("postkiln/grubenv", &state),
            ("postkiln/a/vmlinuz", contents.kernel),
            ("postkiln/a/initrd", contents.initrd),
        ];
        for (path, bytes) in files {
            root.create_file(path)?.write_all(bytes)?;
        }
        drop(root);
        system.unmount()?;
        Ok(disk.into_inner())
    };
    write().map_err(|error| wrong(error.to_string()))
}

fn state() -> Vec<u8> {
    let mut block = STATE.as_bytes().to_vec();
    block.resize(STATE_SIZE, b'#');
    block
}

/// A clock that stands still, for a reproducible image.
#[derive(Debug)]
struct Stopped;

static STOPPED: Stopped = Stopped;

impl TimeProvider for Stopped {
    fn get_current_date(&self) -> Date {
        Date { year: 1980, month: 1, day: 1 }
    }

    fn get_current_date_time(&self) -> DateTime {
        DateTime { date: self.get_current_date(), time: Time { hour: 0, min: 0, sec: 0, millis: 0 } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_is_fat32_with_a_whole_state_block() {
        let contents = Contents { loader: b"loader", kernel: b"kernel", initrd: b"initrd" };
        let bytes = make(64 << 20, 7, &contents).unwrap();
        assert_eq!(make(64 << 20, 7, &contents).unwrap(), bytes);
        let system = FileSystem::new(Cursor::new(bytes), FsOptions::new()).unwrap();
        assert_eq!(system.fat_type(), FatType::Fat32);
        let mut block = String::new();
        let mut file = system.root_dir().open_file("postkiln/grubenv").unwrap();
        std::io::Read::read_to_string(&mut file, &mut block).unwrap();
        assert_eq!(block.len(), STATE_SIZE);
        assert!(block.starts_with("# GRUB Environment Block\n") && block.contains("\nslot=a\n"));
    }
}
