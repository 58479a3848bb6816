//! A site as it was in a revision of git, in a temporary folder. Neither the work tree nor the index is touched.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::git::{git, newest};
use crate::outcome::Failure;

/// A site checked out from a revision.
pub(super) struct Checkout {
    /// The path of the site there: a folder or a file, as the caller named its own.
    pub(super) site: PathBuf,
    /// The commit, abbreviated.
    pub(super) commit: String,
    /// The serial number of its zones: the time of the newest commit before it that touched the site, when it is known.
    pub(super) serial: Option<u32>,
    _folder: TempDir,
}

/// Writes the site's folder as it was in the revision.
///
/// # Errors
/// When there is no git, no repository around the site, no such revision, or no such site in it.
pub(super) fn check_out(site: &Path, revision: &str) -> Result<Checkout, Failure> {
    let site = site.canonicalize().map_err(|error| Failure::environment("cannot find the site", error))?;
    let folder = if site.is_dir() { site.as_path() } else { site.parent().unwrap_or(&site) };
    let top = git(folder, &["rev-parse", "--show-toplevel"], None).map_err(|said| {
        Failure::unavailable(format!(
            "{revision} is no file, and the site lies in no repository of git ({said}): say --against BASE"
        ))
    })?;
    let below = git(folder, &["rev-parse", "--show-prefix"], None).map_err(Failure::unavailable)?;
    let wanted = format!("{revision}^{{commit}}");
    let commit =
        git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], None).map_err(|_| {
            Failure::unavailable(match revision {
                "HEAD" => {
                    "nothing is committed yet, so there is nothing to compare with: commit, or say --against BASE"
                        .to_owned()
                }
                _ => format!("there is no file and no revision of git called {revision}"),
            })
        })?;
    let absent = |said: String| {
        let name = if below.is_empty() { "site" } else { below.trim_end_matches('/') };
        Failure::unavailable(format!("revision {revision} has no {name}: {said}"))
    };
    let scratch = tempfile::tempdir().map_err(|error| Failure::environment("cannot make a folder", error))?;
    let index = scratch.path().join("index");
    let tree = format!("{commit}:{}", below.trim_end_matches('/'));
    let top = Path::new(&top);
    git(top, &["read-tree", &tree], Some(&index)).map_err(absent)?;
    let target = scratch.path().join("site");
    let prefix = format!("--prefix={}/", target.display());
    git(top, &["checkout-index", "--all", &prefix], Some(&index)).map_err(absent)?;
    let site = if site.is_dir() { target } else { target.join(site.file_name().unwrap_or(OsStr::new("site.ncl"))) };
    if !site.exists() {
        return Err(absent("the file is not in it".to_owned()));
    }
    let serial = newest(folder, &commit).ok();
    Ok(Checkout { site, commit: commit.get(..7).unwrap_or(&commit).to_owned(), serial, _folder: scratch })
}
