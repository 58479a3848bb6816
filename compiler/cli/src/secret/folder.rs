//! A site's folder with its secrets, for commands that only look.

use std::path::Path;

use postkiln_secrets::Folder;
use postkiln_site::SecretsLock;

use crate::findings;
use crate::outcome::Failure;

/// A site's folder, opened for reading.
pub(super) fn looking(site: &Path) -> Folder {
    Folder::new(&findings::folder(site))
}

/// The lock of a site; its findings are printed.
pub(super) fn lock(site: &Path) -> Result<SecretsLock, Failure> {
    let shown = |found: Vec<_>| {
        findings::show(site, &found);
        Failure::Findings
    };
    let (lock, warnings) = looking(site).lock().map_err(shown)?;
    findings::show(site, &warnings);
    Ok(lock)
}
