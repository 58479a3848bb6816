//! A bundle in memory and as a directory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::manifest::{hex, sha256_hex};
use crate::{BundleError, FileEntry, Manifest, Owner, Service};

/// Files and manifest. Made by `compiler/render`, or read back from a directory or a packed file; the hashes are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    manifest: Manifest,
    contents: BTreeMap<String, Vec<u8>>,
}

/// The table of contents of a bundle, and some of its files by path.
pub type Part = (Manifest, BTreeMap<String, Vec<u8>>);

/// A file on its way into a bundle, hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    entry: FileEntry,
    bytes: Vec<u8>,
}

impl File {
    /// Hashes the content. `path` is below the bundle's root; `owner` says who may read the file on the node.
    #[must_use]
    pub fn new(path: impl Into<String>, bytes: Vec<u8>, owner: Owner) -> Self {
        let (size, sha256) = (bytes.len() as u64, sha256_hex(&bytes));
        Self { entry: FileEntry { path: path.into(), size, sha256, owner }, bytes }
    }
}

/// The line of the manifest in the making, for a file that comes in parts and is not kept.
#[derive(Debug, Default)]
pub struct Digester {
    digest: Sha256,
    size: u64,
}

impl Digester {
    /// Takes the next part of the content.
    pub fn update(&mut self, part: &[u8]) {
        self.digest.update(part);
        self.size += part.len() as u64;
    }

    /// The line of the file. `path` and `owner` are as in [`File::new`].
    #[must_use]
    pub fn entry(self, path: impl Into<String>, owner: Owner) -> FileEntry {
        FileEntry { path: path.into(), size: self.size, sha256: hex(&self.digest.finalize()), owner }
    }
}

/// The file's line of the manifest, without the content.
impl From<File> for FileEntry {
    fn from(file: File) -> Self {
        file.entry
    }
}

/// The file's line of the manifest, and the content.
impl From<File> for (FileEntry, Vec<u8>) {
    fn from(file: File) -> Self {
        (file.entry, file.bytes)
    }
}

impl Bundle {
    /// Joins files and services, sorted and with an identity. Of two files with the same path the last is kept.
    #[must_use]
    pub fn new(schema: u32, hostname: &str, files: Vec<File>, services: Vec<Service>) -> Self {
        let mut contents = BTreeMap::new();
        let mut entries = Vec::with_capacity(files.len());
        for File { entry, bytes } in files {
            contents.insert(entry.path.clone(), bytes);
            entries.push(entry);
        }
        Self { manifest: Manifest::new(schema, hostname, entries, services), contents }
    }

    /// Checks every size, hash and path.
    ///
    /// # Errors
    /// When something does not agree with the manifest.
    pub(crate) fn verified(manifest: Manifest, contents: BTreeMap<String, Vec<u8>>) -> Result<Self, BundleError> {
        for entry in &manifest.files {
            if !is_plain_path(&entry.path) {
                return Err(BundleError::Path(entry.path.clone()));
            }
            let bytes = contents.get(&entry.path).ok_or_else(|| BundleError::Missing(entry.path.clone()))?;
            if bytes.len() as u64 != entry.size || sha256_hex(bytes) != entry.sha256 {
                return Err(BundleError::Altered(entry.path.clone()));
            }
        }
        if contents.len() != manifest.files.len() {
            return Err(BundleError::Surplus);
        }
        Ok(Self { manifest, contents })
    }

    /// Reads a bundle directory and checks it.
    ///
    /// # Errors
    /// When a file cannot be read or does not agree with the manifest.
    pub fn read(directory: &Path) -> Result<Self, BundleError> {
        let manifest = Manifest::parse(&read_plain(directory, Manifest::NAME, MANIFEST_LIMIT)?)?;
        let mut contents = BTreeMap::new();
        for entry in &manifest.files {
            if !is_plain_path(&entry.path) {
                return Err(BundleError::Path(entry.path.clone()));
            }
            contents.insert(entry.path.clone(), read_plain(directory, &entry.path, entry.size)?);
        }
        Self::verified(manifest, contents)
    }

    /// Reads the table of contents of a bundle directory and some of its files, and checks them: for callers that need
    /// little of a bundle with very many files. A wanted file that is not there is left out.
    ///
    /// # Errors
    /// When something cannot be read or does not agree with the manifest.
    pub fn read_files(directory: &Path, wanted: impl Fn(&str) -> bool) -> Result<Part, BundleError> {
        let manifest = Manifest::parse(&read_plain(directory, Manifest::NAME, MANIFEST_LIMIT)?)?;
        let mut contents = BTreeMap::new();
        for entry in manifest.files.iter().filter(|entry| wanted(&entry.path)) {
            let bytes = match read_plain(directory, &entry.path, entry.size) {
                Err(BundleError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            };
            if sha256_hex(&bytes) != entry.sha256 {
                return Err(BundleError::Altered(entry.path.clone()));
            }
            contents.insert(entry.path.clone(), bytes);
        }
        Ok((manifest, contents))
    }

    /// Writes the directory: files mode 0600, directories 0700. The target must not exist or be empty.
    ///
    /// # Errors
    /// When something cannot be written, or the target has content.
    pub fn write(&self, directory: &Path) -> Result<(), BundleError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| BundleError::Io { path, source }
        };
        make_directory(directory).map_err(io(directory))?;
        if fs::read_dir(directory).map_err(io(directory))?.next().is_some() {
            return Err(BundleError::NotEmpty(directory.to_owned()));
        }
        let manifest = self.manifest_bytes();
        let all = self.contents.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        for (name, bytes) in all.chain([(Manifest::NAME, manifest.as_slice())]) {
            let path = directory.join(name);
            if let Some(parent) = path.parent() {
                make_directory(parent).map_err(io(parent))?;
            }
            write_private(&path, bytes).map_err(io(&path))?;
        }
        Ok(())
    }

    /// The table of contents.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Path and content of every file except the manifest, sorted by path.
    pub fn files(&self) -> impl Iterator<Item = (&FileEntry, &[u8])> {
        self.manifest.files.iter().map(|entry| (entry, self.contents.get(&entry.path).map_or(&[][..], Vec::as_slice)))
    }

    /// The content of one file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.contents.get(path).map(Vec::as_slice)
    }

    /// The bytes of `manifest.json`: pretty JSON and a newline.
    #[must_use]
    pub fn manifest_bytes(&self) -> Vec<u8> {
        self.manifest.print()
    }
}

fn is_plain_path(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains('\0')
}

fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

/// The content of a plain file below `directory`, and one octet beyond `limit` at most: enough to see that it was
/// altered. Neither waits for a pipe's writer nor follows a link, since `init` reads what others put there.
fn read_plain(directory: &Path, name: &str, limit: u64) -> Result<Vec<u8>, BundleError> {
    let path = directory.join(name);
    let read = || {
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::other("it is not an ordinary file"));
        }
        let mut bytes = Vec::new();
        fs::File::open(&path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| BundleError::Io { path: path.clone(), source })
}

/// The largest manifest that is read: that of a million files has a quarter of it.
const MANIFEST_LIMIT: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Bundle {
        let file = |path: &str, text: &str| File::new(path, text.as_bytes().to_vec(), Owner::Everyone);
        Bundle::new(1, "mail.example.org", vec![file("control/me", "m\n"), file("a", "x")], Vec::new())
    }

    #[test]
    fn the_order_of_files_does_not_change_the_identity() {
        let bundle = sample();
        let mut files: Vec<File> =
            bundle.files().map(|(entry, bytes)| File::new(entry.path.clone(), bytes.to_vec(), entry.owner)).collect();
        files.reverse();
        assert_eq!(Bundle::new(1, "mail.example.org", files, Vec::new()), bundle);
    }

    #[test]
    fn a_path_given_twice_keeps_the_last_content() {
        let file = |text: &str| File::new("a", text.as_bytes().to_vec(), Owner::Everyone);
        let bundle = Bundle::new(1, "mail.example.org", vec![file("x"), file("y")], Vec::new());
        assert_eq!(bundle, Bundle::new(1, "mail.example.org", vec![file("y")], Vec::new()));
        let entries = vec![file("x").into(), file("y").into()];
        assert_eq!(bundle.manifest(), &Manifest::new(1, "mail.example.org", entries, Vec::new()));
    }

    #[test]
    fn a_part_is_read_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("bundle");
        let bundle = sample();
        bundle.write(&place).unwrap();
        let (manifest, files) = Bundle::read_files(&place, |path| ["a", "absent"].contains(&path)).unwrap();
        assert_eq!((&manifest, files.len(), files["a"].as_slice()), (bundle.manifest(), 1, &b"x"[..]));
        fs::write(place.join("a"), "y").unwrap();
        assert!(
            matches!(Bundle::read_files(&place, |path| path == "a"), Err(BundleError::Altered(path)) if path == "a")
        );
        assert!(Bundle::read_files(&place, |path| path == "control/me").is_ok());
    }

    #[test]
    fn only_ordinary_files_of_the_right_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("bundle");
        sample().write(&place).unwrap();
        let file = place.join("a");
        fs::write(&file, vec![b'x'; 1 << 20]).unwrap();
        assert!(matches!(Bundle::read(&place), Err(BundleError::Altered(path)) if path == "a"));
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        assert!(matches!(Bundle::read(&place), Err(BundleError::Io { path, .. }) if path == file));
        fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        assert!(matches!(Bundle::read(&place), Err(BundleError::Io { path, .. }) if path == file));
        assert!(matches!(Bundle::read_files(&place, |path| path == "a"), Err(BundleError::Io { .. })));
    }

    #[test]
    fn an_altered_file_is_noticed() {
        let bundle = sample();
        let mut contents = bundle.contents.clone();
        contents.insert("a".to_owned(), b"y".to_vec());
        assert!(matches!(Bundle::verified(bundle.manifest, contents), Err(BundleError::Altered(path)) if path == "a"));
    }
}
