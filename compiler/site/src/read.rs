//! From a path to a [`Site`]: evaluation, then decoding, and all findings together.

use std::io;
use std::path::{Path, PathBuf};

use postkiln_findings::{in_order, is_wrong};

use crate::answer::{Answer, Trouble};
use crate::beneath::Beneath;
use crate::lines::Lines;
use crate::{Diagnostic, Site, child, codes, decode, evaluate, secrets};

/// Reads, evaluates and decodes the site at `path`: its folder, or its `site.ncl`. Gives warnings beside the site.
///
/// Evaluation runs in a process of its own, with at most 10 s of processor time and 1 GiB of memory, in which this
/// program is started again with [`crate::CHILD_COMMAND`].
///
/// # Errors
/// With every finding, in source order, when one of them is an error.
pub fn read(path: &Path) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (root, entry) = locate(path)?;
    let answer = match child::evaluate_apart(&root, &entry) {
        Ok(Ok(answer)) => answer,
        Ok(Err(ended)) => {
            let (code, message, hint) = ended.words();
            let beginning = Lines::new(&[(entry, Vec::new())]).beginning();
            let finding = Diagnostic { place: Some(beginning), ..Diagnostic::new(code, message) };
            return Err(vec![Diagnostic { hint: Some(hint.to_owned()), ..finding }]);
        }
        Err(error) => {
            return Err(vec![Diagnostic::new(codes::EVALUATOR, format!("cannot start the evaluator: {error}"))]);
        }
    };
    decoded(&root, answer)
}

/// [`read`] within this process and without limits: for tests and fuzzing, where no `postkiln` can be started.
///
/// # Errors
/// As [`read`].
pub fn read_unconfined(path: &Path) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (root, entry) = locate(path)?;
    let answer = match Beneath::open(&root) {
        Ok(beneath) => evaluate::evaluate(&beneath, &entry)
            .ok_or_else(|| vec![Diagnostic::new(codes::EVALUATOR, "the evaluator panicked".to_owned())])?,
        Err(error) => child::unreadable(&root, &error),
    };
    decoded(&root, answer)
}

/// The site's folder and the name of its main file.
fn locate(path: &Path) -> Result<(PathBuf, String), Vec<Diagnostic>> {
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

fn decoded(root: &Path, answer: Answer) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    let lines = Lines::new(&answer.files);
    let troubles: Vec<Diagnostic> = answer.troubles.iter().map(|trouble| finding(trouble, &lines)).collect();
    let Some(tree) = &answer.tree else { return Err(in_order(troubles)) };
    let beneath = Beneath::open(root).map_err(|error| {
        vec![Diagnostic::new(codes::UNREADABLE, format!("{} cannot be opened: {error}", root.display()))]
    })?;
    let (site, findings) = decode::site(tree, &lines, &beneath, answer.unchecked);
    let is_wrong = is_wrong(&findings);
    let mut sources = answer.files.into_iter().collect();
    let locked = secrets::beside(&beneath, &mut sources);
    let read = match site {
        Some(site) if !is_wrong && troubles.is_empty() => Ok((Site { sources, ..site }, findings)),
        // The walker says what the contracts said, and more; only what it has not seen is theirs to say.
        _ if is_wrong => Err(findings),
        _ => Err(troubles),
    };
    match (read, locked) {
        (Ok((site, findings)), Ok((secrets, more))) => Ok((Site { secrets, ..site }, together(findings, more))),
        (Ok((_, findings)), Err(more)) | (Err(findings), Ok((_, more)) | Err(more)) => Err(together(findings, more)),
    }
}

fn together(mut findings: Vec<Diagnostic>, more: Vec<Diagnostic>) -> Vec<Diagnostic> {
    findings.extend(more);
    in_order(findings)
}

fn finding(trouble: &Trouble, lines: &Lines) -> Diagnostic {
    Diagnostic {
        place: trouble.span.map(|span| lines.place(span)),
        hint: trouble.hint.clone(),
        ..Diagnostic::new(trouble.kind.code(), trouble.message.clone())
    }
}
