//! The interpreter's errors as troubles with a place in the person's files.

use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle};
use nickel_lang_core::error::{Error, EvalError, EvalErrorKind, IntoDiagnostics};
use nickel_lang_core::files::{FileId, Files};
use nickel_lang_core::position::TermPos;

use super::{Ids, words};
use crate::answer::{Kind, Span, Trouble};

/// Finds places in files of the site. Positions elsewhere (schema, standard library, generated text) have no place.
pub(super) struct Places<'a> {
    ids: &'a Ids,
}

impl<'a> Places<'a> {
    pub(super) const fn new(ids: &'a Ids) -> Self {
        Self { ids }
    }

    /// The place of a position, when the position is in a file of the site.
    pub(super) fn span(&self, position: TermPos) -> Option<Span> {
        let span = position.into_opt()?;
        Some(Span { file: *self.ids.get(&span.src_id)?, start: span.start.0, end: span.end.0 })
    }

    /// One error of the interpreter, which may be several.
    pub(super) fn troubles(&self, error: Error, mut files: Files) -> Vec<Trouble> {
        let kind = match &error {
            Error::ParseErrors(_) => Kind::Syntax,
            Error::ImportError(_) => Kind::Import,
            _ => Kind::Evaluation,
        };
        let merge = self.merge_of_lists(&error);
        let mut troubles = self.all(kind, error.into_diagnostics(&mut files));
        if let (Some(merge), Some(first)) = (merge, troubles.first_mut()) {
            first.related.push((merge, words::beside("originally merged here").to_owned()));
        }
        troubles
    }

    /// Where two lists met that are not the same. The interpreter compares them by a contract, and shows
    /// its place nowhere.
    fn merge_of_lists(&self, error: &Error) -> Option<Span> {
        let Error::EvalError(error) = error else { return None };
        let EvalErrorKind::BlameError { label, .. } = &error.error else { return None };
        let mut notes = label.diagnostics.iter().flat_map(|diagnostic| &diagnostic.notes);
        notes.any(|note| words::is_of_two_lists(note)).then(|| self.span(error.ctxt.pos_table.get(label.span)))?
    }

    /// Turns the interpreter's diagnostics for one error into troubles.
    pub(super) fn all(&self, kind: Kind, diagnostics: Vec<Diagnostic<FileId>>) -> Vec<Trouble> {
        let mut troubles: Vec<Trouble> =
            diagnostics.into_iter().map(|diagnostic| self.trouble(kind, diagnostic)).collect();
        // One error's later diagnostics are its call stack: they stay only when nothing else has a place.
        if kind == Kind::Evaluation {
            let best = troubles.iter().position(|trouble| trouble.span.is_some()).unwrap_or(0);
            let span = troubles.get(best).and_then(|trouble| trouble.span);
            troubles.truncate(1);
            if let Some(first) = troubles.first_mut() {
                first.span = span;
            }
        }
        troubles
    }

    fn trouble(&self, kind: Kind, diagnostic: Diagnostic<FileId>) -> Trouble {
        let message = diagnostic.message.trim().replace('\n', " ").replace(super::VIRTUAL_ROOT, "");
        let label = self.best(&diagnostic.labels);
        let said = label.map(|label| label.message.trim()).filter(|said| !said.is_empty());
        let span = label.and_then(|label| self.labelled(label));
        if kind == Kind::Evaluation {
            let (message, hint) = words::told(&message, said.unwrap_or_default(), &diagnostic.notes);
            let others = diagnostic.labels.iter().filter(|other| other.style == LabelStyle::Secondary);
            let others = others.filter_map(|other| Some((self.labelled(other)?, other.message.trim().to_owned())));
            let elsewhere = |other: &Span| span.is_none_or(|span| (span.file, span.start) != (other.file, other.start));
            let related = others.filter(|(other, said)| elsewhere(other) && !said.is_empty());
            let related = related.map(|(other, said)| (other, words::beside(&said).to_owned())).collect();
            return Trouble { hint, related, ..Trouble::new(kind, message, span) };
        }
        let message = match said {
            // A label such as "here" says nothing without the underlining, which is printed below.
            Some(said) if !message.contains(said) => format!("{message}: {said}"),
            _ => message,
        };
        let trouble = Trouble::new(kind, message, span);
        if kind == Kind::Syntax {
            trouble.hint("look for a missing comma, brace or quote before this")
        } else {
            trouble
        }
    }

    /// The place of a label, when it is in a file of the site.
    fn labelled(&self, label: &Label<FileId>) -> Option<Span> {
        let file = *self.ids.get(&label.file_id)?;
        let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Some(Span { file, start: at(label.range.start), end: at(label.range.end) })
    }

    /// The first label in a file of the site, primary ones before others: for a missing field the primary one is in
    /// the schema, for a broken contract it is the person's.
    fn best<'l>(&self, labels: &'l [Label<FileId>]) -> Option<&'l Label<FileId>> {
        let ours = || labels.iter().filter(|label| self.ids.contains_key(&label.file_id));
        ours().find(|label| label.style == LabelStyle::Primary).or_else(|| ours().next())
    }
}

/// The permissive run calls an optional field without a value a missing definition.
pub(super) fn is_absent_option(error: &EvalError) -> bool {
    matches!(&error.error, EvalErrorKind::MissingFieldDef { metadata, .. } if metadata.opt)
}
