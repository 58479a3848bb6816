//! Showing what is wrong with a site: text on stderr, or JSON on stdout. The layout of one finding is
//! `compiler/site`'s; here its source lines are looked up and its file named as the person named the site.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::ValueEnum;
use postkiln_findings::{Code, Diagnostic, Layout, Run, Severity, Silence, is_wrong};
use postkiln_site::{Site, ordinary};

use crate::outcome::Failure;
use crate::output;

/// The value of `--deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Warnings count as errors.
    Warnings,
}

/// Prints findings in source order for a person: the first of each kind in a file, and the number of further ones.
pub(crate) fn show(site: &Path, findings: &[Diagnostic]) {
    let folder = folder(site);
    let texts: RefCell<BTreeMap<String, Option<Rc<str>>>> = RefCell::default();
    let source = |file: &str| {
        let read = || text_of(&folder, file).map(Rc::from);
        texts.borrow_mut().entry(file.to_owned()).or_insert_with(read).clone()
    };
    let layout = Layout { prefix: &prefix(&folder), colour: output::colour(), source: &source };
    let mut counts: BTreeMap<(Code, Option<&str>), usize> = BTreeMap::new();
    for finding in findings {
        let file = finding.place.as_ref().map(|place| &*place.file);
        let count = counts.entry((finding.code, file)).or_default();
        *count += 1;
        if *count <= MOST {
            output::note(&layout.text(finding));
        }
    }
    for ((code, file), count) in counts.into_iter().filter(|(_, count)| *count > MOST) {
        let place = file.map(|file| format!(" in {file}")).unwrap_or_default();
        output::note(&format!("{} more of {code}{place} are not shown; --json has all", count - MOST));
    }
}

/// The number of findings of one kind that are shown for one file.
const MOST: usize = 25;

/// The findings without those that the site silences, in source order. Comments are looked for in all files of a site
/// that could be read, else in those that findings are about.
pub(crate) fn silenced(path: &Path, site: Option<&Site>, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let folder = folder(path);
    let named = findings.iter().filter_map(|finding| finding.place.as_ref()).map(|place| place.file.to_string());
    let names: BTreeSet<String> = site.map_or_else(|| named.collect(), |site| site.sources.keys().cloned().collect());
    let nickel = names.iter().filter(|name| name.ends_with(".ncl"));
    let texts: Vec<(&str, String)> = nickel
        .filter_map(|name| Some((name.as_str(), String::from_utf8(ordinary(&folder.join(name)).ok()?).ok()?)))
        .collect();
    let everywhere = site.map_or(&[][..], |site| &site.silence).iter().map(|code| (code.value, &code.place));
    let silence = Silence {
        everywhere: everywhere.collect(),
        files: texts.iter().map(|(name, text)| (*name, text.as_str())).collect(),
        complete: site.is_some() && !is_wrong(&findings),
    };
    postkiln_findings::silenced(findings, &silence)
}

/// Findings as SARIF, with paths from the top of the repository the site lies in.
pub(crate) fn sarif(site: &Path, findings: &[Diagnostic], failed: bool) -> serde_json::Value {
    let folder = folder(site);
    let source = |file: &str| text_of(&folder, file);
    let entry = if site.is_dir() { None } else { site.file_name().and_then(|name| name.to_str()) };
    let run = Run {
        version: env!("CARGO_PKG_VERSION"),
        prefix: &below_repository(&folder),
        entry: entry.unwrap_or("site.ncl"),
        failed,
        source: &source,
    };
    postkiln_findings::sarif(findings, &run)
}

/// A folder as its repository names it, with a slash at the end; nothing for the top, or when there is no repository.
fn below_repository(folder: &Path) -> String {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(here) = here.canonicalize() else { return String::new() };
    let top = here.ancestors().find(|above| above.join(".git").exists());
    let below = top.and_then(|top| here.strip_prefix(top).ok()).and_then(Path::to_str);
    below.filter(|below| !below.is_empty()).map_or_else(String::new, |below| format!("{below}/"))
}

/// A file of the site as text that may be shown; octets that are no text are replaced.
fn text_of(folder: &Path, file: &str) -> Option<String> {
    let bytes = ordinary(&folder.join(file)).ok()?;
    let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Some(postkiln_site::shown(file, text))
}

/// Decides whether these findings end the command.
///
/// # Errors
/// With exit code 1, when one is an error, or a warning while warnings are denied.
pub(crate) fn judge(findings: &[Diagnostic], deny: Option<Deny>) -> Result<(), Failure> {
    let fatal = |finding: &Diagnostic| finding.severity() == Severity::Error || deny == Some(Deny::Warnings);
    if findings.iter().any(fatal) { Err(Failure::Findings) } else { Ok(()) }
}

/// The numbers of errors and warnings: "2 errors, 1 warning".
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

/// The folder of a site, which was named by its folder or by its file.
pub(crate) fn folder(site: &Path) -> PathBuf {
    if site.is_dir() {
        return site.to_owned();
    }
    // `site.ncl` has the parent "", which names no folder.
    site.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// The text before file names that lets a person open the files from here.
fn prefix(folder: &Path) -> String {
    match folder.to_str() {
        None | Some("" | "." | "./") => String::new(),
        Some(text) => format!("{}/", text.trim_end_matches('/')),
    }
}
