//! From a path to a [`Site`].

use std::path::Path;

use crate::{Diagnostic, Severity, Site};

/// Reads, evaluates and decodes the site at `path`: its folder, or its `site.ncl`. Gives warnings beside the site.
///
/// # Errors
/// With every finding, in source order, when one of them is an error.
pub fn read(path: &Path) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    let _ = path;
    Err(vec![Diagnostic {
        code: "E0000",
        severity: Severity::Error,
        message: "the evaluation of sites is being written".to_owned(),
        place: None,
        hint: None,
        related: Vec::new(),
    }])
}

/// The hidden command of `postkiln` that [`read`] starts itself again with.
pub const CHILD_COMMAND: &str = "evaluate-site";

/// What that command does: evaluates within limits and answers on stdout.
///
/// # Errors
/// When stdout cannot be written.
pub fn evaluate_child(root: &Path, entry: &str) -> std::io::Result<()> {
    let _ = (root, entry);
    Err(std::io::Error::other("being written"))
}
