//! The reasons why something is no valid bundle.

use std::io;
use std::path::PathBuf;

/// The reason why something is no valid bundle.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum BundleError {
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("manifest.json is not a manifest of this version")]
    Manifest(#[source] serde_json::Error),
    #[error("bundle format {0} is not known to this version")]
    Format(u32),
    #[error("{0} is not what the manifest says")]
    Altered(String),
    #[error("{0} is named in the manifest but missing")]
    Missing(String),
    #[error("{0:?} is no path within a bundle")]
    Path(String),
    #[error("there are files that the manifest does not name")]
    Surplus,
    #[error("{} exists and is not empty", .0.display())]
    NotEmpty(PathBuf),
}
