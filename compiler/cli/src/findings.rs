//! Showing what is wrong with a site: text on stderr, or JSON on stdout. The layout of one finding is
//! `compiler/site`'s; here its source lines are looked up and its file named as the person named the site.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use postkiln_findings::{Diagnostic, Layout, Severity};

use crate::outcome::Failure;
use crate::output;

/// `--deny warnings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Warnings count as errors.
    Warnings,
}

/// Prints findings in source order for a person.
pub(crate) fn show(site: &Path, findings: &[Diagnostic]) {
    let folder = folder(site);
    let source = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
    let layout = Layout { prefix: &prefix(&folder), colour: output::colour(), source: &source };
    for finding in findings {
        output::note(&layout.text(finding));
    }
}

/// Whether these findings end the command.
///
/// # Errors
/// With exit 1, when one is an error, or one is a warning and those are denied.
pub(crate) fn judge(findings: &[Diagnostic], deny: Option<Deny>) -> Result<(), Failure> {
    let fatal = |finding: &Diagnostic| finding.severity() == Severity::Error || deny == Some(Deny::Warnings);
    if findings.iter().any(fatal) { Err(Failure::Findings) } else { Ok(()) }
}

/// How many of each: "2 errors, 1 warning".
pub(crate) fn count(findings: &[Diagnostic]) -> String {
    let errors = findings.iter().filter(|finding| finding.severity() == Severity::Error).count();
    let warnings = findings.len() - errors;
    let plural = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    match (errors, warnings) {
        (errors, 0) => plural(errors, "error"),
        (0, warnings) => plural(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

/// The folder of a site that was named by it or by its file.
fn folder(site: &Path) -> PathBuf {
    if site.is_dir() { site.to_owned() } else { site.parent().map_or_else(PathBuf::new, Path::to_owned) }
}

/// What stands before the file names so that they can be opened from here.
fn prefix(folder: &Path) -> String {
    match folder.to_str() {
        None | Some("" | "." | "./") => String::new(),
        Some(text) => format!("{}/", text.trim_end_matches('/')),
    }
}
