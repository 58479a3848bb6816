//! What is wrong, where, and what to do about it.

use std::sync::Arc;

use crate::{Code, Severity};

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

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind: stable, and explained by `postkiln explain`.
    pub code: Code,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// Where; `None` for the site as a whole.
    pub place: Option<Place>,
    /// What to do.
    pub hint: Option<String>,
    /// Further places with what stands there: "first declared here".
    pub related: Vec<(Place, String)>,
}

impl Diagnostic {
    /// A finding without a place and a hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, hint: None, related: Vec::new() }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(self, place: &Place) -> Self {
        Self { place: Some(place.clone()), ..self }
    }

    /// Error or warning.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Says what to do.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names a further place.
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
