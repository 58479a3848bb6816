//! Collects findings.

use postkiln_site::{Diagnostic, Place, Severity};

use crate::Code;

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Diagnostic>);

impl Findings {
    /// Adds a finding; the code's first letter says whether it is an error.
    pub(crate) fn add(&mut self, code: Code, place: &Place, message: String) -> &mut Diagnostic {
        let severity = if code.name.starts_with('E') { Severity::Error } else { Severity::Warning };
        self.0.push(Diagnostic {
            code: code.name,
            severity,
            message,
            place: Some(place.clone()),
            hint: None,
            related: Vec::new(),
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// In the order of their places; the value only when there is no error.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
        self.0.sort_by(|one, two| (&one.place, one.code, &one.message).cmp(&(&two.place, two.code, &two.message)));
        self.0.dedup();
        if self.0.iter().any(|finding| finding.severity == Severity::Error) { Err(self.0) } else { Ok((value, self.0)) }
    }
}

/// Adds what to do to a finding just added.
pub(crate) trait Hint {
    /// Sets the hint.
    fn hint(&mut self, hint: impl Into<String>) -> &mut Self;
    /// Names a further place.
    fn related(&mut self, place: &Place, text: &str) -> &mut Self;
}

impl Hint for Diagnostic {
    fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    fn related(&mut self, place: &Place, text: &str) -> &mut Self {
        self.related.push((place.clone(), text.to_owned()));
        self
    }
}
