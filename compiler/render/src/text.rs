//! Texts of the bundle, each line with the thing of the site that it was made for.

use postkiln_blueprint::{Cause, Lines};

/// A text in the making.
#[derive(Default)]
pub(crate) struct Text {
    text: String,
    /// Runs of lines with the same cause; lines that are the same for every site have none.
    runs: Vec<(usize, Option<Cause>)>,
}

impl Text {
    /// A text whose lines were all made for one thing.
    pub(crate) fn of(text: &str, cause: Option<Cause>) -> Self {
        let mut whole = Self::default();
        whole.add(text, cause);
        whole
    }

    /// Adds whole lines.
    pub(crate) fn add(&mut self, lines: &str, cause: Option<Cause>) {
        let count = lines.lines().count();
        self.text.push_str(lines);
        match self.runs.last_mut() {
            Some((known, last)) if *last == cause => *known += count,
            _ => self.runs.push((count, cause)),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// The things by line, for the map of the bundle.
    pub(crate) fn lines(&self) -> Option<Lines> {
        Lines::new(self.runs.iter().map(|(count, cause)| (*count, cause.as_ref())))
    }

    /// The cause of a line, counted from 0.
    pub(crate) fn cause(&self, index: usize) -> Option<&Cause> {
        let mut left = index;
        for (count, cause) in &self.runs {
            match left.checked_sub(*count) {
                Some(more) => left = more,
                None => return cause.as_ref(),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use postkiln_blueprint::Kind;

    use super::*;

    #[test]
    fn every_line_keeps_its_cause() {
        let (one, other) = (Cause::of(Kind::Domain, "a.example"), Cause::of(Kind::Domain, "b.example"));
        let mut text = Text::of("a\nb\n", Some(one.clone()));
        text.add("c\n", Some(one.clone()));
        assert_eq!(text.lines(), Some(Lines::All("domain/a.example".to_owned())));
        text.add("d\n", None);
        text.add("e\n\n", Some(other.clone()));
        let causes: Vec<_> = (0..7).map(|index| text.cause(index)).collect();
        let (one, other) = (Some(&one), Some(&other));
        assert_eq!(causes, [one, one, one, None, other, other, None]);
        assert_eq!(text.as_str(), "a\nb\nc\nd\ne\n\n");
        assert!(matches!(text.lines(), Some(Lines::Each(lines)) if lines.len() == 6));
        assert_eq!(Text::of("x\n", None).lines(), None);
    }
}
