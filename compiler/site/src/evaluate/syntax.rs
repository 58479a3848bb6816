//! The parser's errors in words for people: the unexpected sign, and what was probably forgotten before it. Knows only
//! the text and where the parser stopped.

use postkiln_findings::nickel;

use crate::answer::{Span, Trouble};

/// The same errors in better words, at most one a line: the parser goes on after an error and may stumble over the text
/// it skipped.
pub(super) fn told(troubles: Vec<Trouble>, text: &str) -> Vec<Trouble> {
    let mut told: Vec<(usize, Trouble)> = Vec::new();
    for trouble in troubles {
        let Some(start) = trouble.span.and_then(|span| usize::try_from(span.start).ok()) else {
            told.push((usize::MAX, trouble));
            continue;
        };
        let line = text.get(..start).unwrap_or(text).matches('\n').count();
        if told.iter().all(|(known, _)| *known != line) {
            told.push((line, one(trouble, text)));
        }
    }
    told.into_iter().map(|(_, trouble)| trouble).collect()
}

fn one(trouble: Trouble, text: &str) -> Trouble {
    if text.trim().is_empty() {
        let trouble = Trouble { message: "the file is empty".to_owned(), ..trouble };
        return trouble.hint("`postkiln new` writes a site to begin with");
    }
    let Some(span) = trouble.span else { return trouble };
    if trouble.message.starts_with(TOO_SOON) {
        let trouble = Trouble { message: "the file ends too soon".to_owned(), ..trouble };
        return match open(text) {
            Some((at, said)) => {
                let start = u32::try_from(at).unwrap_or(u32::MAX);
                let place = Span { start, end: start.saturating_add(1), ..span };
                Trouble { related: vec![(place, said.to_owned())], ..trouble.hint("close it") }
            }
            None => trouble.hint("the expression after the last `in` or `=` is missing"),
        };
    }
    let at = |byte: u32| usize::try_from(byte).unwrap_or(usize::MAX);
    let token = text.get(at(span.start)..at(span.end)).unwrap_or_default();
    let before = text.get(..at(span.start)).unwrap_or_default();
    if trouble.message.starts_with(NO_CONTRACT) && before.trim_end().ends_with(':') {
        return Trouble {
            message: "unexpected `:` before a value".to_owned(),
            hint: Some(FIELD.to_owned()),
            ..trouble
        };
    }
    if trouble.message != UNEXPECTED {
        return trouble;
    }
    Trouble { message: format!("unexpected `{token}`"), hint: Some(hint(token, before)), ..trouble }
}

/// Words for an error in a file of data.
pub(super) fn in_data(trouble: Trouble, text: &str) -> Trouble {
    let (format, said) = trouble.message.split_once(" parse error: ").unwrap_or(("data", &trouble.message));
    // The place stands before the message already.
    let said = said.split(" at byte ").next().unwrap_or_default();
    let message = format!("not {}: {said}", format.to_uppercase());
    let end = trouble.span.and_then(|span| usize::try_from(span.start).ok()).unwrap_or(0);
    let before = text.get(..end).unwrap_or_default().trim_end();
    let hint =
        (format == "json" && before.ends_with(',')).then(|| "JSON has no comma before a closing bracket".to_owned());
    Trouble { message, hint, ..trouble }
}

/// The bracket or quote that is probably not closed: a string that goes beyond the end of its line, else the first
/// bracket whose line is indented more than the line of the bracket that closed it, else the last one that is open at
/// the end.
fn open(text: &str) -> Option<(usize, &'static str)> {
    let bytes = text.as_bytes();
    let indentation = |at: usize| {
        let line = text.get(..at).unwrap_or_default().rfind('\n').map_or(0, |end| end + 1);
        text.get(line..).unwrap_or_default().bytes().take_while(|byte| *byte == b' ').count()
    };
    let mut brackets = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let Some((kind, end)) = nickel::piece(bytes, at) {
            let plain = kind == nickel::Piece::Text && *byte == b'"';
            if plain && bytes.get(at..end).unwrap_or_default().contains(&b'\n') {
                return Some((at, "this quote is probably never closed"));
            }
            at = end.max(at + 1);
            continue;
        }
        match byte {
            b'(' | b'[' | b'{' => brackets.push(at),
            b')' | b']' | b'}' => {
                let opened = brackets.pop()?;
                if bytes.get(opened).copied() != Some(opening(*byte)) {
                    return Some((opened, BRACKET));
                }
                let first =
                    text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default().trim().is_empty();
                if first && indentation(opened) != indentation(at) {
                    return Some((opened, BRACKET));
                }
            }
            _ => {}
        }
        at += 1;
    }
    brackets.pop().map(|at| (at, BRACKET))
}

/// A guess at the mistake, from the unexpected sign and the text before it.
fn hint(token: &str, before: &str) -> String {
    let line = before.rsplit('\n').next().unwrap_or_default();
    // In `a = 1⏎  b = 2` the name `b` was taken for an argument of the text before it.
    let name_alone = !line.trim().is_empty() && line.trim().chars().all(|c| c.is_alphanumeric() || "_-.\"".contains(c));
    if token == "=" && name_alone {
        let above = before.len() - line.len();
        let number = before.get(..above).unwrap_or_default().trim_end().lines().count();
        return format!("a comma is probably missing at the end of line {number}");
    }
    match (token, before.trim_end().chars().last().unwrap_or(' ')) {
        (":", _) => FIELD.to_owned(),
        ("," | ";", ',' | '{' | '[') => "one comma is enough".to_owned(),
        ("}" | "]" | ")", '=') => "a value is missing after the `=`".to_owned(),
        ("}" | "]" | ")", _) => "look for a bracket that is closed by another kind, or never opened".to_owned(),
        _ => "look for a missing comma, brace or quote before this".to_owned(),
    }
}

const fn opening(closing: u8) -> u8 {
    match closing {
        b')' => b'(',
        b']' => b'[',
        _ => b'{',
    }
}

const BRACKET: &str = "this bracket is probably never closed";

const FIELD: &str = "a field is written `name = value`";

// The parser's words for a value where a contract should stand.
const NO_CONTRACT: &str = "invalid contract expression";
const UNEXPECTED: &str = "unexpected token";
const TOO_SOON: &str = "unexpected end of file";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: &str, before: &str, expected: &str) {
        assert!(hint(token, before).contains(expected), "{before}{token}: {}", hint(token, before));
    }

    #[test]
    fn what_was_forgotten_is_named() {
        check("=", "{\n  a = 1\n  b ", "at the end of line 2");
        check("=", "{\n  a = 1\n\n  \"b c\".d ", "before this");
        check("=", "{\n  a = 1\n\n  b.d ", "at the end of line 2");
        check(":", "{ a", "name = value");
        check("}", "{ a = ", "a value is missing");
    }

    fn check_open(text: &str, expected: Option<usize>) {
        assert_eq!(open(text).map(|(at, _)| at), expected, "{text}");
    }

    #[test]
    fn what_is_open_is_found() {
        check_open("{ a = [1, 2 }", Some(6));
        check_open("{ a = 1 } }", None);
        check_open("{\n  a = {\n    b = 1,\n}\n", Some(8));
        check_open("{\n  a = { b = { c = 1 },\n}", Some(8));
        check_open("{ a = \"b,\n c = \"d\" }", Some(6));
        check_open("{ a = 1", Some(0));
    }
}
