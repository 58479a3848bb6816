//! From a path to a [`Site`]: evaluation, then decoding, and all findings together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use postkiln_findings::{in_order, is_wrong};

use crate::answer::{Answer, Trouble};
use crate::beneath::Beneath;
use crate::decode::{self, Decoded, Defaults};
use crate::files::Files;
use crate::lines::Lines;
use crate::{Diagnostic, Gap, Section, Site, child, codes, population, secrets, source};

/// Reads, evaluates and decodes the site at `path`: its folder, or its `site.ncl`. Gives warnings beside the site.
///
/// Evaluation runs in a process of its own, and so does the reading of files beside the site, with at most 10 s of
/// processor time and 1 GiB of memory: this program is started again with [`crate::CHILD_COMMAND`]. An evaluation that
/// a limit ended runs once more, to find the place.
///
/// # Errors
/// With every finding, in source order, when one of them is an error.
pub fn read(path: &Path) -> Read {
    Reader { keeps: false, ..Reader::new(path) }.read().0
}

/// A site with warnings, or all findings when one is an error.
pub type Read = Result<(Site, Vec<Diagnostic>), Unsound>;

/// The outcome of reading a site that has errors.
#[derive(Debug)]
pub struct Unsound {
    /// Every finding, in source order.
    pub findings: Vec<Diagnostic>,
    /// The site as far as it could be read, so that more of it can be judged; its gaps say what could not. Nothing is
    /// ever made of it.
    pub site: Option<Box<Site>>,
}

impl From<Vec<Diagnostic>> for Unsound {
    fn from(findings: Vec<Diagnostic>) -> Self {
        Self { findings, site: None }
    }
}

/// Reads one site again and again: as long as no file that was evaluated changes, it is not evaluated again.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    kept: Option<Answer>,
    /// Whether answers are kept for another call.
    keeps: bool,
}

impl Reader {
    /// For the site at `path`, as [`read`] takes it. Reads nothing yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), kept: None, keeps: true }
    }

    /// The result of [`read`](read()), and the files it depends on by path below the site's folder, those that were
    /// looked for and not found included.
    pub fn read(&mut self) -> (Read, BTreeSet<String>) {
        let (root, entry) = match locate(&self.path) {
            Ok(located) => located,
            Err(findings) => return (Err(findings.into()), BTreeSet::new()),
        };
        let files = match Files::apart(&root) {
            Ok(files) => files,
            Err(error) => {
                let finding = Diagnostic::new(codes::EVALUATOR, format!("cannot start the evaluator: {error}"));
                return (Err(vec![finding].into()), BTreeSet::from([entry]));
            }
        };
        let answer = match self.kept.take().filter(|kept| is_current(kept, &files)) {
            Some(kept) => kept,
            None => match evaluate_apart(&files, &root, &entry) {
                Ok(answer) => answer,
                Err(finding) => return (Err(vec![finding].into()), BTreeSet::from([entry])),
            },
        };
        files.asked().extend(answer.asked.iter().cloned());
        // A failed evaluation is not kept: it may depend on files that did not exist.
        self.kept = (self.keeps && answer.tree.is_some()).then(|| answer.clone());
        let read = decoded(&files, answer);
        let asked = std::mem::take(&mut *files.asked());
        (read, asked)
    }
}

/// Whether the files that were evaluated have the same content now.
fn is_current(answer: &Answer, files: &Files) -> bool {
    answer.files.iter().all(|(path, bytes)| files.read(path).is_ok_and(|now| now == *bytes))
}

/// The answer of an evaluation in a process of its own, or why there is none.
fn evaluate_apart(files: &Files, root: &Path, entry: &str) -> Result<Answer, Diagnostic> {
    files.evaluate(entry).map_err(|ended| {
        let (code, message, hint) = ended.words();
        let beginning = || Lines::new(&[(entry.to_owned(), Vec::new())]).beginning();
        let place = child::place_of_end(root, entry, ended).unwrap_or_else(beginning);
        let mut finding = Diagnostic::new(code, message).at(&place);
        finding.hint(hint);
        finding
    })
}

/// [`read`] for a site whose value is written as JSON in the file `path`, without an evaluation: for tests and fuzzing
/// of all that comes after it. `"'reject"` is a tag, `{"'deliver_to": "ada"}` one with a value; nothing has a default.
///
/// # Errors
/// As [`read`].
pub fn read_json(path: &Path) -> Read {
    let (root, entry) = locate(path)?;
    let files = open(&root)?;
    let unreadable = |error| vec![Diagnostic::new(codes::UNREADABLE, format!("{entry:?} {error}"))];
    let bytes = files.read(&entry).map_err(unreadable)?;
    decoded(&files, population::answer(entry, bytes))
}

/// [`read`] within this process and without limits: for tests and fuzzing, where no `postkiln` can be started.
///
/// # Errors
/// As [`read`].
pub fn read_unconfined(path: &Path) -> Read {
    let (root, entry) = locate(path)?;
    let files = open(&root)?;
    let panicked = |_| vec![Diagnostic::new(codes::EVALUATOR, "the evaluator panicked")];
    let answer = files.evaluate(&entry).map_err(panicked)?;
    decoded(&files, answer)
}

/// The site's folder and the name of its main file.
pub(crate) fn locate(path: &Path) -> Result<(PathBuf, String), Vec<Diagnostic>> {
    let cannot = |error: io::Error| {
        vec![Diagnostic::new(codes::UNREADABLE, format!("{} cannot be read: {error}", path.display()))]
    };
    let path = path.canonicalize().map_err(cannot)?;
    if path.is_dir() {
        return Ok((path, "site.ncl".to_owned()));
    }
    let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    match (path.parent(), name) {
        (Some(folder), Some(name)) => Ok((folder.to_owned(), name)),
        _ => Err(vec![Diagnostic::new(codes::UNREADABLE, format!("{} is no site", path.display()))]),
    }
}

fn open(root: &Path) -> Result<Files, Vec<Diagnostic>> {
    Beneath::open(root).map(Files::here).map_err(|error| {
        vec![Diagnostic::new(codes::UNREADABLE, format!("{} cannot be opened: {error}", root.display()))]
    })
}

fn decoded(beneath: &Files, mut answer: Answer) -> Read {
    let lines = Lines::new(&answer.files);
    let troubles: Vec<Diagnostic> = answer.troubles.iter().map(|trouble| finding(trouble, &lines)).collect();
    let Some(mut tree) = answer.tree.take() else { return Err(in_order(troubles).into()) };
    if answer.unchecked {
        Defaults::new().fill(&mut tree, "Site");
    }
    let Decoded { site, mut findings, read, hidden } = decode::site(&tree, &lines, beneath);
    let files = answer.files.into_iter().enumerate();
    let mut sources: BTreeMap<String, Vec<u8>> =
        files.map(|(index, (path, bytes))| (path, source::blanked(&bytes, &hidden, index))).collect();
    sources.extend(read);
    // The walker reports everything that the contracts report, and more; their findings count only where it has none.
    if !is_wrong(&findings) {
        findings.extend(troubles);
    }
    let (secrets, more) = match secrets::beside(beneath, &mut sources) {
        Ok((lock, more)) => (Some(lock), more),
        Err(more) => (None, more),
    };
    findings.extend(more);
    let site = site.map(|mut site| {
        if secrets.is_none() {
            site.gaps.add(Gap::Section(Section::Secrets));
        }
        Site { secrets: secrets.unwrap_or_default(), sources, ..site }
    });
    let findings = in_order(findings);
    match site {
        Some(site) if !is_wrong(&findings) => Ok((site, findings)),
        site => Err(Unsound { findings, site: site.map(Box::new) }),
    }
}

pub(crate) fn finding(trouble: &Trouble, lines: &Lines) -> Diagnostic {
    Diagnostic {
        place: trouble.span.map(|span| lines.place(span)),
        hint: trouble.hint.clone(),
        related: trouble.related.iter().map(|(span, said)| (lines.place(*span), said.clone())).collect(),
        ..Diagnostic::new(trouble.kind.code(), trouble.message.clone())
    }
}
