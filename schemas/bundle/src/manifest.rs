//! `manifest.json`: the files of a bundle with their hashes, and the table of services that `init` obeys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{BundleError, Service};

/// The bundle's table of contents. `init` reads this and no other configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: [`Manifest::FORMAT`].
    pub format: u32,
    /// Version of the site schema the bundle was compiled from.
    pub schema: u32,
    /// SHA-256 in hex over this manifest with an empty identity, which names the whole content.
    pub identity: String,
    /// The appliance's host name.
    pub hostname: String,
    /// Every file but `manifest.json`, sorted by path.
    pub files: Vec<FileEntry>,
    /// The services that `init` starts, in this order.
    pub services: Vec<Service>,
}

impl Manifest {
    /// The one format this code reads and writes.
    pub const FORMAT: u32 = 1;
    /// The manifest's name within the bundle.
    pub const NAME: &'static str = "manifest.json";

    /// Sorts the files and computes the identity. Of two entries with the same path the last is kept.
    #[must_use]
    pub fn new(schema: u32, hostname: &str, files: Vec<FileEntry>, services: Vec<Service>) -> Self {
        let sorted: BTreeMap<String, FileEntry> = files.into_iter().map(|file| (file.path.clone(), file)).collect();
        let files = sorted.into_values().collect();
        let (identity, hostname) = (String::new(), hostname.to_owned());
        let mut manifest = Self { format: Self::FORMAT, schema, identity, hostname, files, services };
        manifest.identity = sha256_hex(&manifest.print());
        manifest
    }

    /// The bytes of `manifest.json`: pretty JSON and a newline.
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Octets of the partition that an image gives this bundle: in steps, each twice as large as the one before, and
    /// enough for the bundle as it is without compression. So whether a change fits is known without packing anything,
    /// and the packed bundle, a quarter of it as a rule, has room to grow.
    #[must_use]
    pub fn room(&self) -> u64 {
        let files: u64 = self.files.iter().map(|file| file.size).sum();
        let size = files.saturating_add(self.print().len() as u64);
        std::iter::successors(Some(SMALLEST_ROOM), |room| room.checked_mul(2))
            .find(|room| *room >= size)
            .unwrap_or(size)
    }

    /// Reads `manifest.json` and checks that it is what its identity names. The octets are looked at, not what is
    /// printed again: this version may print a field that the one which made it had not.
    ///
    /// # Errors
    /// When it is no manifest, one of another format, or was altered.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(BundleError::Manifest)?;
        if manifest.format != Self::FORMAT {
            return Err(BundleError::Format(manifest.format));
        }
        if without_identity(bytes, &manifest.identity).is_none_or(|octets| sha256_hex(&octets) != manifest.identity) {
            return Err(BundleError::Altered(Self::NAME.to_owned()));
        }
        Ok(manifest)
    }
}

/// The part of a manifest that a role reads: names and hashes of a hundred thousand files are not in it. A role's part
/// of the bundle has this under the manifest's name, with the role's own line alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// As [`Manifest::identity`].
    pub identity: String,
    /// As [`Manifest::services`].
    pub services: Vec<Service>,
}

impl Table {
    /// The table with the line of one role.
    #[must_use]
    pub fn of(identity: &str, service: &Service) -> Self {
        Self { identity: identity.to_owned(), services: vec![service.clone()] }
    }

    /// Pretty JSON and a newline.
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Takes the octets of `manifest.json`, of the whole bundle or of a part, which `init` has checked.
    ///
    /// # Errors
    /// When they are no manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        serde_json::from_slice(bytes).map_err(BundleError::Manifest)
    }
}

/// The octets of a manifest as they were when its identity was made.
fn without_identity(bytes: &[u8], identity: &str) -> Option<Vec<u8>> {
    let member = format!("\"identity\": \"{identity}\"");
    let at = bytes.windows(member.len()).position(|octets| octets == member.as_bytes())?;
    let (before, rest) = (bytes.get(..at)?, bytes.get(at + member.len()..)?);
    Some([before, b"\"identity\": \"\"", rest].concat())
}

/// Enough for 20,000 users; the areas of a disk image are not smaller.
const SMALLEST_ROOM: u64 = 32 << 20;

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(digest: &[u8]) -> String {
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// One file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The path below the bundle's root, with `/`, never absolute, without `.` and `..`.
    pub path: String,
    /// The size of the content in bytes.
    pub size: u64,
    /// SHA-256 of the content, in hex.
    pub sha256: String,
    /// The users who may read the file on the node.
    pub owner: Owner,
}

/// The users who may read a file of the bundle on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Everybody: owned by root, mode 0644.
    Everyone,
    /// The role `directoryd`: owned by `directory`, mode 0600, since the file holds password hashes.
    Directory,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    #[test]
    fn a_manifest_is_judged_by_its_octets() {
        let manifest = Manifest::new(1, "mail.example.org", Vec::new(), vec![Service::new(Role::Smtpd)]);
        let text = String::from_utf8(manifest.print()).unwrap();
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap(), manifest);
        assert_eq!(Table::parse(text.as_bytes()).unwrap().services, manifest.services);
        assert!(Manifest::parse(text.replace("smtpd", "imapd").as_bytes()).is_err());
        assert!(Manifest::parse(text.replace("identity\": \"", "identity\":  \"").as_bytes()).is_err());
        // One that was made before services had capabilities.
        let before = text.replace("      \"capabilities\": [],\n", "");
        let before = before.replace(&manifest.identity, "");
        assert_ne!(before, text);
        let before =
            before.replace("\"identity\": \"\"", &format!("\"identity\": \"{}\"", sha256_hex(before.as_bytes())));
        assert_eq!(Manifest::parse(before.as_bytes()).unwrap().services, manifest.services);
    }

    #[test]
    fn rooms_are_steps_that_hold_everything_without_compression() {
        let room = |sizes: &[u64]| {
            let entry = |(number, size): (usize, &u64)| {
                let (path, sha256) = (format!("f{number}"), "0".repeat(64));
                FileEntry { path, size: *size, sha256, owner: Owner::Everyone }
            };
            Manifest::new(1, "mail.example.org", sizes.iter().enumerate().map(entry).collect(), Vec::new()).room() >> 20
        };
        assert_eq!(room(&[]), 32);
        // The manifest itself takes some of it.
        assert_eq!(room(&[32 << 20]), 64);
        assert_eq!(room(&[40 << 20, 60 << 20]), 128);
        assert_eq!(room(&[300 << 20]), 512);
    }
}
