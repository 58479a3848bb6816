//! A collection of findings that grows while a site is judged.

use postkiln_findings::{Code, Diagnostic, Place, in_order, is_wrong};

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Diagnostic>);

impl Findings {
    /// Adds a finding, to which a hint and further places may be added.
    pub(crate) fn add(&mut self, code: Code, place: &Place, message: impl Into<String>) -> &mut Diagnostic {
        self.0.push(Diagnostic::new(code, message).at(place));
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// Makes something; what is found on the way counts only when everything it is judged by could be read.
    pub(crate) fn counting<T>(&mut self, counts: bool, make: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.0.len();
        let made = make(self);
        if !counts {
            self.0.truncate(before);
        }
        made
    }

    /// Whether one of them is an error.
    pub(crate) fn is_wrong(&self) -> bool {
        is_wrong(&self.0)
    }

    /// These findings together with others.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The findings in the order of their places.
    pub(crate) fn all(self) -> Vec<Diagnostic> {
        in_order(self.0)
    }

    /// The findings in the order of their places, with the value; an error when one of them is an error.
    pub(crate) fn finish<T>(self, value: T) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
        let wrong = self.is_wrong();
        let findings = in_order(self.0);
        if wrong { Err(findings) } else { Ok((value, findings)) }
    }
}
