//! JSON (RFC 8259) as nodes with the place of every value and name. Written here because serde's reader gives no
//! places. Start at [`parse`].

use std::ops::Range;

use super::{Fault, fault, span};
use crate::answer::{Answer, Entry, Kind, Node, Trouble, Value};
use crate::codes;

/// Parses `text`, which begins at byte `base` of its file, as one JSON value.
///
/// # Errors
/// With the place of the first character that is not JSON, or of a name that stands twice in one object.
pub(super) fn parse(text: &str, base: usize) -> Result<Node, Fault> {
    let mut parser = Parser { text, base, at: 0 };
    parser.skip_space();
    let node = parser.value(DEEPEST)?;
    parser.skip_space();
    if parser.peek().is_some() {
        return Err(parser.unexpected("the end of the value"));
    }
    Ok(node)
}

/// The answer that an evaluation would have given if the site had this file's value.
pub(crate) fn answer(name: String, bytes: Vec<u8>) -> Answer {
    let mut answer = Answer::default();
    match std::str::from_utf8(&bytes).map_err(|_| "not UTF-8".to_owned()).map(|text| parse(text, 0)) {
        Ok(Ok(node)) => answer.tree = Some(with_tags(node)),
        Ok(Err(fault)) => answer.troubles.push(Trouble::new(Kind::Syntax, fault.message, Some(fault.span))),
        Err(message) => answer.troubles.push(Trouble::new(Kind::Syntax, message, None)),
    }
    answer.files.push((name, bytes));
    answer
}

/// Reads tags into the tree, since JSON has none: `"'tag"` stands for a tag, `{"'tag": value}` for one with a value.
fn with_tags(node: Node) -> Node {
    let value = match node.value {
        Value::Text(text) => {
            text.strip_prefix('\'').map(|tag| Value::Tag(tag.to_owned(), None)).unwrap_or(Value::Text(text))
        }
        Value::List(items) => Value::List(items.into_iter().map(with_tags).collect()),
        Value::Record(mut entries) => {
            let tag = entries.first().filter(|_| entries.len() == 1).and_then(|entry| entry.name.strip_prefix('\''));
            match tag.map(str::to_owned) {
                Some(tag) => Value::Tag(tag, entries.pop().map(|entry| Box::new(with_tags(entry.node)))),
                None => Value::Record(entries.into_iter().map(with_tags_within).collect()),
            }
        }
        other => other,
    };
    Node { value, ..node }
}

fn with_tags_within(entry: Entry) -> Entry {
    Entry { node: with_tags(entry.node), ..entry }
}

struct Parser<'a> {
    text: &'a str,
    base: usize,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// `ws = *(SP / HTAB / LF / CR)`.
    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn placed(&self, range: Range<usize>) -> Range<usize> {
        self.base + range.start..self.base + range.end
    }

    fn wrong(&self, message: String, range: Range<usize>) -> Fault {
        fault(codes::NOT_JSON, message, self.placed(range))
    }

    fn unexpected(&self, expected: &str) -> Fault {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => {
                let range = self.at..self.at + found.len_utf8();
                self.wrong(format!("not JSON: expected {expected}, found {found:?}"), range)
            }
            None => {
                let hint = "an object ends on the line on which it begins";
                self.wrong(format!("not JSON: expected {expected}, found the end of the line"), self.at..self.at)
                    .hint(hint)
            }
        }
    }

    /// `value = false / null / true / object / array / number / string`.
    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { span: Some(span(self.placed(start..self.at))), value })
    }

    fn word(&mut self) -> Result<Value, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let known = [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)];
        match known.into_iter().find(|(word, _)| rest.starts_with(word)) {
            Some((word, value)) => {
                self.at += word.len();
                Ok(value)
            }
            None => Err(self.unexpected("a value")),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, Fault> {
        depth
            .checked_sub(1)
            .ok_or_else(|| self.wrong("the value is nested too deeply".to_owned(), self.at..self.at + 1))
    }

    /// `array = "[" [ value *( "," value ) ] "]"`.
    fn array(&mut self, depth: usize) -> Result<Value, Fault> {
        let depth = self.deeper(depth)?;
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
        self.at += 1;
        Ok(Value::List(items))
    }

    /// `object = "{" [ member *( "," member ) ] "}"`, `member = string ":" value`; each name once.
    fn object(&mut self, depth: usize) -> Result<Value, Fault> {
        let depth = self.deeper(depth)?;
        let mut entries: Vec<Entry> = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Record(entries));
        }
        loop {
            self.skip_space();
            entries.push(self.member(depth)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected("`,` or `}`")),
            }
        }
        self.at += 1;
        match twice(&entries) {
            Some(entry) => {
                let shown: String = entry.name.chars().take(64).collect();
                let wrong = fault(codes::COLUMN_TWICE, format!("the field `{shown}` stands here twice"), 0..0);
                Err(Fault { span: entry.span.unwrap_or(wrong.span), ..wrong }.hint("keep one of the two"))
            }
            None => Ok(Value::Record(entries)),
        }
    }

    fn member(&mut self, depth: usize) -> Result<Entry, Fault> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a name in double quotes"));
        }
        let name = self.string()?;
        let place = span(self.placed(start..self.at));
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.at += 1;
        self.skip_space();
        Ok(Entry { name: name.into(), span: Some(place), node: self.value(depth)? })
    }

    /// `string = quotation-mark *char quotation-mark`.
    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        let mut value = String::new();
        loop {
            let from = self.at;
            while self.peek().is_some_and(|byte| byte != b'"' && byte != b'\\' && byte >= b' ') {
                self.at += 1;
            }
            // The loop ends at ASCII characters only, so the slice holds whole characters.
            value.push_str(self.text.get(from..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') => value.push(self.escape()?),
                Some(_) => return Err(self.unexpected("`\\n`, `\\t` or the like for a control character")),
                None => return Err(self.wrong("not JSON: the string has no end".to_owned(), start..start + 1)),
            }
        }
    }

    /// `escape ( %x22 / %x5C / %x2F / %x62 / %x66 / %x6E / %x72 / %x74 / %x75 4HEXDIG )`.
    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek();
        self.at += 1;
        let character = match letter {
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            Some(b'/') => Some('/'),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'u') => self.unicode(),
            _ => None,
        };
        character.ok_or_else(|| self.wrong("not JSON: no such escape in a string".to_owned(), start..start + 1))
    }

    /// A character escaped by its number, or by the numbers of two surrogates (RFC 8259 §7).
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.text.get(self.at..)?.strip_prefix("\\u")?;
        self.at += 2;
        let second = self.hex4().filter(|second| (0xdc00..0xe000).contains(second))?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    /// `number = [ minus ] int [ frac ] [ exp ]`.
    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            is_whole = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        match text.parse() {
            Ok(number) if is_whole => Ok(Value::Integer(number)),
            _ => Ok(Value::Fraction(text.chars().take(40).collect())),
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected("a digit"));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }
}

/// The second entry of a name that occurs twice. Objects of many names are sorted, so that no file takes quadratic
/// time.
fn twice(entries: &[Entry]) -> Option<&Entry> {
    let mut names: Vec<&Entry> = entries.iter().collect();
    names.sort_by(|one, other| one.name.cmp(&other.name));
    names
        .windows(2)
        .find(|pair| matches!(pair, [one, other] if one.name == other.name))
        .and_then(|pair| pair.last().copied())
}

/// The deepest nesting that is allowed. No row comes near.
const DEEPEST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// Our reader gives the same values as serde's, and both refuse the same texts.
    fn check(text: &str, is_good: bool) {
        let theirs: Option<serde_json::Value> = serde_json::from_str(text).ok();
        let ours = parse(text, 0).ok();
        assert_eq!((theirs.is_some(), ours.is_some()), (is_good, is_good), "{text}");
        if let (Some(theirs), Some(ours)) = (theirs, ours) {
            assert_eq!(plain(&ours.value), theirs, "{text}");
        }
    }

    fn plain(value: &Value) -> serde_json::Value {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(number) => i64::try_from(*number).unwrap().into(),
            Value::Fraction(text) => serde_json::from_str(text).unwrap(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(|item| plain(&item.value)).collect(),
            Value::Record(entries) => {
                entries.iter().map(|entry| (entry.name.clone().into_owned(), plain(&entry.node.value))).collect()
            }
            Value::Tag(..) | Value::Other(_) => panic!("JSON has no {value:?}"),
        }
    }

    #[test]
    fn json_is_what_serde_says() {
        for good in [
            "null",
            " {\"a\": [1, -3, 1.5e-3, true, false, null, {}, []], \"\\u00e9\": \"\\ud83d\\ude00\\/\\\\\\\"\\b\\f\\n\\r\\t\"} ",
            "\"\u{e9}\u{4e2d}\"",
        ] {
            check(good, true);
        }
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "01",
            "1.",
            "-",
            "1e",
            "+1",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "tru",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\u{1}\"",
            "1 2",
            "[1 2]",
            "{\"a\" 1}",
            "'a'",
        ] {
            check(bad, false);
        }
    }

    #[test]
    fn values_and_mistakes_have_their_places() {
        let node = parse("{ \"a\": \"b\" }", 100).unwrap();
        let Value::Record(entries) = &node.value else { panic!("{node:?}") };
        assert_eq!(entries[0].span, Some(span(102..105)));
        assert_eq!(entries[0].node.span, Some(span(107..110)));
        let wrong = |text: &str| parse(text, 0).map(|_| ()).map_err(|fault| (fault.code.name(), fault.span.start));
        assert_eq!(wrong("{\"a\": 1, \"b\" 2}"), Err(("E0257", 13)));
        assert_eq!(wrong("{\"a\": 1, \"a\": 2}"), Err(("E0252", 9)));
        assert_eq!(wrong(&"[".repeat(1000)), Err(("E0257", 32)));
    }
}
