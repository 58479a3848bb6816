//! Block devices as the kernel shows them in `/sys`: disks, their partitions, sizes. Reads no content.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A disk or a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The kernel's name: `vda`, `nvme0n1p3`.
    pub name: String,
    /// The name of the partition in the GPT; `None` for a whole disk.
    pub label: Option<String>,
    /// The number of the partition; `None` for a whole disk.
    pub number: Option<u32>,
    /// The size in octets.
    pub size: u64,
}

const CLASS: &str = "/sys/class/block";

impl Device {
    /// The path of the device in `/dev`.
    #[must_use]
    pub fn node(&self) -> PathBuf {
        Path::new("/dev").join(&self.name)
    }

    fn named(name: &str) -> io::Result<Self> {
        let about = std::fs::read_to_string(Path::new(CLASS).join(name).join("uevent"))?;
        let field = |key: &str| about.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
        let sectors = std::fs::read_to_string(Path::new(CLASS).join(name).join("size"))?;
        Ok(Self {
            name: name.to_owned(),
            label: field("PARTNAME="),
            number: field("PARTN=").and_then(|number| number.parse().ok()),
            // The kernel counts in units of 512 octets, whatever the disk's sectors are.
            size: sectors.trim().parse::<u64>().unwrap_or(0).saturating_mul(512),
        })
    }
}

fn all() -> io::Result<Vec<Device>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(CLASS)?.flatten() {
        // A device may vanish between the listing and the look.
        if let Ok(device) = Device::named(&entry.file_name().to_string_lossy()) {
            found.push(device);
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The partition of that name in the GPT; the first by device name when several disks have one.
///
/// # Errors
/// When `/sys` cannot be read.
pub fn partition_named(label: &str) -> io::Result<Option<Device>> {
    Ok(all()?.into_iter().find(|device| device.label.as_deref() == Some(label)))
}

/// Whole disks with content: no loop or ram devices, no empty drives.
///
/// # Errors
/// When `/sys` cannot be read.
pub fn disks() -> io::Result<Vec<Device>> {
    let real = |device: &Device| {
        device.size > 0
            && device.number.is_none()
            && !["loop", "ram", "sr", "fd", "zram", "dm-", "md"].iter().any(|prefix| device.name.starts_with(prefix))
    };
    Ok(all()?.into_iter().filter(real).collect())
}

/// The partitions of a disk.
///
/// # Errors
/// When `/sys` cannot be read.
pub fn partitions(disk: &str) -> io::Result<Vec<Device>> {
    let inside = Path::new(CLASS).join(disk);
    Ok(all()?.into_iter().filter(|device| device.number.is_some() && inside.join(&device.name).is_dir()).collect())
}

/// The disk that holds the file system mounted at `/`.
///
/// # Errors
/// When the root is not on a partition of a disk.
pub fn root_disk() -> io::Result<Device> {
    let device = std::fs::metadata("/")?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let place = std::fs::canonicalize(format!("/sys/dev/block/{major}:{minor}"))?;
    let parent = place.parent().and_then(Path::file_name).unwrap_or_default();
    Device::named(&parent.to_string_lossy())
}
