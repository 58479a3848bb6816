//! Findings: each says what is wrong, where, and what to do about it.

use std::sync::Arc;

use crate::{Code, Severity};

/// A range in a file of the site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path below the site's root: `site.ncl`.
    pub file: Arc<str>,
    /// The first line, from 1.
    pub line: u32,
    /// The first column in characters, from 1.
    pub column: u32,
    /// The last line, from 1.
    pub end_line: u32,
    /// The column after the last character.
    pub end_column: u32,
}

/// One finding, error or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of finding: stable, and explained by `postkiln explain`.
    pub code: Code,
    /// The message: one sentence, lower case, no full stop.
    pub message: String,
    /// The place; `None` for a finding about the site as a whole.
    pub place: Option<Place>,
    /// Advice for the person, when there is any.
    pub hint: Option<String>,
    /// Further places with a text for each: "first declared here".
    pub related: Vec<(Place, String)>,
}

impl Diagnostic {
    /// A finding without a place and a hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, hint: None, related: Vec::new() }
    }

    /// The same finding with this place.
    #[must_use]
    pub fn at(self, place: &Place) -> Self {
        Self { place: Some(place.clone()), ..self }
    }

    /// The severity, error or warning.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Sets the advice.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a further place with a text.
    pub fn related(&mut self, place: &Place, text: &str) -> &mut Self {
        self.related.push((place.clone(), text.to_owned()));
        self
    }
}

/// The findings in source order, each once; those of the site as a whole come first.
#[must_use]
pub fn in_order(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    findings.sort_by(|one, two| (&one.place, one.code, &one.message).cmp(&(&two.place, two.code, &two.message)));
    findings.dedup();
    findings
}

/// Whether one of the findings is an error.
#[must_use]
pub fn is_wrong(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.severity() == Severity::Error)
}
