//! What is wrong, where, and what to do about it.

use std::sync::Arc;

/// A range in a file of the site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path below the site's root: `site.ncl`.
    pub file: Arc<str>,
    /// First line, from 1.
    pub line: u32,
    /// First column in characters, from 1.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// The column after the last character.
    pub end_column: u32,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be built.
    Error,
    /// Shown; changes no exit code.
    Warning,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable: `E0101`, `W0301`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// Where; `None` for the site as a whole.
    pub place: Option<Place>,
    /// What to do.
    pub hint: Option<String>,
    /// Further places with what stands there: "first declared here".
    pub related: Vec<(Place, String)>,
}
