//! A code and its meaning. Codes are made in [`crate::codes`] and nowhere else.

use std::cmp::Ordering;
use std::fmt;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// An error: nothing can be built.
    Error,
    /// A warning: shown, but it changes no exit code.
    Warning,
}

/// A kind of finding: `E0302`. Its meaning never changes, and its number is never used again.
#[derive(Clone, Copy)]
pub struct Code(pub(crate) &'static Entry);

/// The registry's entry for one code.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) wrong: &'static str,
    pub(crate) right: &'static str,
}

impl Code {
    /// The code as it is shown: `E0302` for an error, `W0302` for a warning.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The severity, which the first letter of the code tells.
    #[must_use]
    pub fn severity(self) -> Severity {
        if self.0.name.starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// The code's subject, in half a sentence: "a target does not exist".
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.0.title
    }

    /// The meaning of the finding and the reason for refusing, in paragraphs.
    #[must_use]
    pub fn meaning(self) -> String {
        dedent(self.0.meaning)
    }

    /// An example of a site that gives this finding.
    #[must_use]
    pub fn wrong(self) -> String {
        dedent(self.0.wrong)
    }

    /// The same example as it should be.
    #[must_use]
    pub fn right(self) -> String {
        dedent(self.0.right)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Code {}

impl PartialEq<&str> for Code {
    fn eq(&self, name: &&str) -> bool {
        self.name() == *name
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Removes from a text the indentation of the source around it, and blank lines at its ends.
fn dedent(text: &str) -> String {
    let written = || text.lines().filter(|line| !line.trim().is_empty());
    let indentation = written().map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or(0);
    let lines: Vec<&str> = text.lines().map(|line| line.get(indentation..).unwrap_or_default().trim_end()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(dedent(text), expected);
    }

    #[test]
    fn texts_lose_the_indentation_of_the_source() {
        check("one", "one");
        check("\n        a = {\n          b,\n        }\n\n        c\n    ", "a = {\n  b,\n}\n\nc");
        check("", "");
    }
}
