//! From byte ranges to lines and columns. Columns count characters, as editors do.

use std::cell::Cell;
use std::sync::Arc;

use crate::Place;
use crate::answer::Span;

/// The files of a site, ready to tell places in them.
pub(crate) struct Lines {
    files: Vec<LineTable>,
    /// The last answer, since a value is asked for several times: by the values inside it and by its name in a table.
    last: Cell<Option<(Span, Range)>>,
}

/// First line and column, last line and column after the last character.
type Range = [u32; 4];

struct LineTable {
    name: Arc<str>,
    text: String,
    /// The byte at which each line begins.
    starts: Vec<usize>,
    /// How many characters stand before each [`STRIDE`] bytes, so that a place in a file of one long line is not found
    /// by counting all that stands before it. Empty when every character is one byte.
    characters: Vec<usize>,
    /// The last answer: the next question is nearly always about something shortly after it.
    last: Cell<Position>,
}

/// A byte, the index of its line, and how many characters of the line stand before it.
#[derive(Clone, Copy, Default)]
struct Position {
    byte: usize,
    line: usize,
    characters: usize,
}

impl Lines {
    /// Takes names and contents, in the order that [`Span::file`] counts.
    pub(crate) fn new(files: &[(String, Vec<u8>)]) -> Self {
        let files = files.iter().map(|(name, bytes)| LineTable::new(name, bytes)).collect();
        Self { files, last: Cell::default() }
    }

    /// The table of a single file.
    pub(crate) fn of(name: &str, bytes: &[u8]) -> Self {
        Self { files: vec![LineTable::new(name, bytes)], last: Cell::default() }
    }

    /// The place of a span; the beginning of the site when there is no such file.
    pub(crate) fn place(&self, span: Span) -> Place {
        let file = usize::try_from(span.file).ok().and_then(|index| self.files.get(index));
        let Some(file) = file else { return self.beginning() };
        let range =
            self.last.get().filter(|(last, _)| *last == span).map_or_else(|| file.range(span), |(_, range)| range);
        self.last.set(Some((span, range)));
        let [line, column, end_line, end_column] = range;
        Place { file: file.name.clone(), line, column, end_line, end_column }
    }

    /// The first character of the site's main file.
    pub(crate) fn beginning(&self) -> Place {
        let name = self.files.first().map_or_else(|| Arc::from("site.ncl"), |file| file.name.clone());
        Place { file: name, line: 1, column: 1, end_line: 1, end_column: 1 }
    }
}

impl LineTable {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let characters = if text.is_ascii() { Vec::new() } else { checkpoints(text.as_bytes()) };
        Self { name: name.into(), text, starts, characters, last: Cell::default() }
    }

    fn range(&self, span: Span) -> Range {
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(span.end.max(span.start));
        [line, column, end_line, end_column]
    }

    /// Line and column, both from 1, of a byte; clamped to the text.
    fn position(&self, byte: u32) -> (u32, u32) {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let last = self.last.get();
        let line = self.line(byte, last.line);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let (from, known) = if line == last.line && byte >= last.byte && last.byte >= start {
            (last.byte, last.characters)
        } else {
            (start, 0)
        };
        let characters = known + self.characters_between(from, byte);
        self.last.set(Position { byte, line, characters });
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        (number(line + 1), number(characters + 1))
    }

    /// The index of a byte's line; `near` is looked at first, and the line after it.
    fn line(&self, byte: usize, near: usize) -> usize {
        let begins = |line: usize| self.starts.get(line).is_none_or(|start| *start > byte);
        for line in [near, near + 1] {
            if !begins(line) && begins(line + 1) {
                return line;
            }
        }
        self.starts.partition_point(|start| *start <= byte).saturating_sub(1)
    }

    fn characters_between(&self, from: usize, to: usize) -> usize {
        if self.characters.is_empty() {
            return to.saturating_sub(from);
        }
        if to.saturating_sub(from) <= STRIDE {
            return characters(self.text.as_bytes().get(from..to).unwrap_or_default());
        }
        self.characters_before(to).saturating_sub(self.characters_before(from))
    }

    fn characters_before(&self, byte: usize) -> usize {
        let Some(counted) = self.characters.get(byte / STRIDE) else { return byte };
        counted + characters(self.text.as_bytes().get(byte / STRIDE * STRIDE..byte).unwrap_or_default())
    }
}

fn checkpoints(bytes: &[u8]) -> Vec<usize> {
    let mut sum = 0;
    let mut counted = vec![0];
    counted.extend(bytes.chunks(STRIDE).map(|chunk| {
        sum += characters(chunk);
        sum
    }));
    counted
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !is_continuation(**byte)).count()
}

/// Whether a byte is the second or a later one of a character in UTF-8 (RFC 3629 §3).
const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

const STRIDE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, byte: u32, expected: (u32, u32)) {
        let lines = Lines::new(&[("a.ncl".to_owned(), text.into())]);
        let place = lines.place(Span { file: 0, start: byte, end: byte });
        assert_eq!((place.line, place.column), expected, "{text:?} {byte}");
    }

    #[test]
    fn columns_count_characters() {
        check("", 0, (1, 1));
        check("ab\ncd", 4, (2, 2));
        check("\u{e9}\u{4e2d}x", 5, (1, 3));
        check("ab\n", 3, (2, 1));
        check("ab", 99, (1, 3));
        let long = format!("x\n{}", "\u{e9}b".repeat(1000));
        check(&long, 2, (2, 1));
        check(&long, 2 + 3 * 700, (2, 1401));
        check(&long, 9999, (2, 2001));
    }

    #[test]
    fn the_order_of_questions_does_not_matter() {
        let text = "ab\n\u{e9}\u{4e2d}xy\n\nlast \u{e9} line".repeat(50);
        let bytes = text.len();
        let lines = Lines::of("a.ncl", text.as_bytes());
        for question in (0..bytes).chain((0..bytes).rev()).chain((0..bytes).map(|byte| byte * 7919 % bytes)) {
            let byte = u32::try_from(question).unwrap();
            let place = lines.place(Span { file: 0, start: byte, end: byte });
            let before = &text.as_bytes()[..question];
            let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert_eq!(
                (place.line as usize, place.column as usize),
                (line, characters(&before[start..]) + 1),
                "{question}"
            );
        }
    }
}
