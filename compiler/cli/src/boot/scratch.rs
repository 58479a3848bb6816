//! A folder for one machine's firmware variables and sockets.

use std::fs;
use std::path::{Path, PathBuf};

const PREFIX: &str = "postkiln-boot-";

/// A temporary folder that is removed when it is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a new folder, and removes those left by killed commands.
    pub(super) fn new() -> std::io::Result<Self> {
        Self::below(&std::env::temp_dir())
    }

    fn below(base: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        remove_orphans(base);
        let path = base.join(format!("{PREFIX}{}", std::process::id()));
        // A folder with our own process id was left by an earlier process.
        let _ = fs::remove_dir_all(&path);
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// The path of the folder.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes folders of processes that have ended. Other users' folders cannot be removed by us, and need not be.
fn remove_orphans(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX).filter(|pid| pid.bytes().all(|octet| octet.is_ascii_digit()));
        if owner.is_some_and(|pid| !pid.is_empty() && !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_or_when_the_next_one_comes() {
        let base = tempfile::tempdir().unwrap();
        // This number is greater than the kernel's largest process id (2^22).
        let orphan = base.path().join(format!("{PREFIX}99999999"));
        let other = base.path().join(format!("{PREFIX}notes"));
        fs::create_dir(&orphan).unwrap();
        fs::create_dir(&other).unwrap();
        let scratch = Scratch::below(base.path()).unwrap();
        assert!(scratch.path().is_dir() && other.is_dir() && !orphan.exists());
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }
}
