//! The layout of one finding: file, line, column, the source line underlined, the hint. Knows nothing about files,
//! whose text the caller gives. Start at [`Layout::text`].

use std::fmt::Write as _;
use std::rc::Rc;

use crate::{Code, Diagnostic, Place, Severity, confidential};

/// Settings for showing findings to a person.
pub struct Layout<'a> {
    /// A text put before each file name so that a person can open the file: `examples/minimal/`.
    pub prefix: &'a str,
    /// Whether terminal colours are used.
    pub colour: bool,
    /// Gives the text of a file of the site.
    pub source: &'a dyn Fn(&str) -> Option<Rc<str>>,
}

impl Layout<'_> {
    /// One finding as text of several lines, without a line end after the last.
    ///
    /// ```text
    /// site.ncl:7:13: error[E0203]: unknown field `quotta`
    ///   7 |     ada = { quotta = "5 GiB" },
    ///     |             ^^^^^^
    ///     = hint: did you mean `quota`?
    /// ```
    #[must_use]
    pub fn text(&self, finding: &Diagnostic) -> String {
        let mut text = String::new();
        if let Some(place) = &finding.place {
            let _ = write!(text, "{}{}:{}:{}: ", self.prefix, printable(&place.file), place.line, place.column);
        }
        let (word, paint) = match finding.severity() {
            Severity::Error => ("error", RED),
            Severity::Warning => ("warning", YELLOW),
        };
        let head = format!("{word}[{}]", finding.code);
        let _ = write!(text, "{}: {}", self.painted(&head, paint), self.painted(&printable(&finding.message), BOLD));
        if let Some(place) = &finding.place {
            self.quote(&mut text, place, finding.code, paint);
        }
        for (place, note) in &finding.related {
            let at = format!("{}{}:{}:{}", self.prefix, printable(&place.file), place.line, place.column);
            let _ = write!(text, "\n    = {at}: {}", printable(note));
        }
        if let Some(hint) = &finding.hint {
            let _ = write!(text, "\n    = hint: {}", printable(hint));
        }
        text
    }

    /// Adds the first line of the place, with the finding's part of it underlined.
    fn quote(&self, text: &mut String, place: &Place, code: Code, paint: &str) {
        let Some(source) = (self.source)(&place.file) else { return };
        let Some(line) =
            usize::try_from(place.line).ok().and_then(|number| source.lines().nth(number.saturating_sub(1)))
        else {
            return;
        };
        // One column per character: a tab or a control character would shift the mark below.
        let mut characters: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let start = index(place.column).min(characters.len());
        let end = if place.end_line == place.line { index(place.end_column) } else { characters.len() };
        let end = end.clamp(start, characters.len()).max(start + 1);
        confidential::mask(&mut characters, confidential::is_about(code).then_some(start..end));
        let (from, to) = window(start, characters.len());
        let shown: String = characters.get(from..to).unwrap_or_default().iter().collect();
        let mark = "^".repeat(end.min(to.max(start + 1)) - start);
        let number = place.line.to_string();
        let width = number.len().max(3);
        let gap = " ".repeat(start - from);
        let _ = write!(
            text,
            "\n{number:>width$} | {}\n{:>width$} | {gap}{}",
            shown.trim_end(),
            "",
            self.painted(&mark, paint)
        );
    }

    fn painted(&self, text: &str, paint: &str) -> String {
        if self.colour { format!("{paint}{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// A column from 1 as an index from 0.
fn index(column: u32) -> usize {
    usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1)
}

/// The part of a long line that is shown: the finding's part and some text around it.
const fn window(start: usize, length: usize) -> (usize, usize) {
    if length <= LONGEST {
        return (0, length);
    }
    let from = start.saturating_sub(LONGEST / 3);
    let to = from + LONGEST;
    (from, if to < length { to } else { length })
}

/// Control characters of hostile names never reach a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

const LONGEST: usize = 160;
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    fn check(source: &str, (line, column): (u32, u32), (end_line, end_column): (u32, u32), expected: &str) {
        let place = Place { file: "site.ncl".into(), line, column, end_line, end_column };
        let finding = Diagnostic {
            code: codes::UNKNOWN_FIELD,
            message: "unknown field `quotta`".to_owned(),
            place: Some(place),
            hint: Some("did you mean `quota`?".to_owned()),
            related: Vec::new(),
        };
        let sources = |_: &str| Some(source.into());
        let layout = Layout { prefix: "", colour: false, source: &sources };
        let whole = layout.text(&finding);
        let quoted: Vec<&str> = whole.lines().skip(1).take_while(|line| line.contains('|')).collect();
        assert_eq!(quoted.join("\n"), expected);
        assert!(
            whole.starts_with(&format!("site.ncl:{line}:{column}: error[E0203]: unknown field `quotta`\n")),
            "{whole}"
        );
        assert!(whole.ends_with("    = hint: did you mean `quota`?"), "{whole}");
    }

    #[test]
    fn the_meant_part_is_underlined() {
        check("a\n{ quotta = 1 }\n", (2, 3), (2, 9), "  2 | { quotta = 1 }\n    |   ^^^^^^");
        check("\t\u{e9}x = [\n1]", (1, 2), (2, 2), "  1 |  \u{e9}x = [\n    |  ^^^^^^");
        check("ab", (1, 3), (1, 3), "  1 | ab\n    |   ^");
        check("", (1, 1), (1, 1), "");
        check("x", (9, 1), (9, 1), "");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = format!("{}BAD{}", "x".repeat(1000), "y".repeat(1000));
        let expected = format!("  1 | {}BAD{}\n    | {}^^^", "x".repeat(53), "y".repeat(104), " ".repeat(53));
        check(&line, (1, 1001), (1, 1004), &expected);
    }
}
