//! Log lines: `role=local level=info event=delivered queue=5f3a to=ada@example.org`, printed and parsed. Knows nothing
//! about where lines go. Start at [`print`] and [`Line`].

mod event;

use std::fmt::{self, Display, Write as _};
use std::str::FromStr;

pub use event::Event;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A person has to act.
    Error,
    /// A person may want to look.
    Warn,
    /// The mail log.
    Info,
}

impl Level {
    /// All levels, the gravest first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Info];

    /// The name in a log line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

impl Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|level| level.name() == name).ok_or(())
    }
}

/// A line of the log, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The program that speaks: a role's name, or `-` before it knows it.
    pub role: String,
    /// How much the line matters.
    pub level: Level,
    /// The event that the line tells of.
    pub event: Event,
    /// The other keys with their values, in their order.
    pub fields: Vec<(String, String)>,
}

impl Line {
    /// The value of a field.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Reads a line; nothing when it is not one of the node's, or has a value that is no UTF-8. The time or a console's
    /// mark may stand before it.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut rest = line.get(line.find("role=")?..)?.trim_end_matches(['\r', '\n']);
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let (key, value) = rest.split_once('=')?;
            let (value, behind) = read_value(value)?;
            fields.push((key.to_owned(), value));
            rest = behind;
        }
        let mut fields = fields.into_iter();
        let mut next = |wanted| fields.next().filter(|(key, _)| key == wanted).map(|(_, value)| value);
        let (role, level, event) = (next("role")?, next("level")?.parse().ok()?, next("event")?.parse().ok()?);
        Some(Self { role, level, event, fields: fields.collect() })
    }
}

/// A line with its end.
#[must_use]
pub fn print(role: &str, level: Level, event: Event, fields: &[(&str, &dyn Display)]) -> String {
    let mut line = format!("role={role} level={level} event={event}");
    for (key, value) in fields {
        line.push(' ');
        line.push_str(key);
        line.push('=');
        push_value(&mut line, &value.to_string());
    }
    line.push('\n');
    line
}

/// Adds a value: plain where that is unambiguous, else in quotes. Every octet that is not printable ASCII is written as
/// `\xNN`, so that a peer's bytes can neither end the line nor reach a terminal. Cut at [`VALUE_LIMIT`].
fn push_value(line: &mut String, value: &str) {
    let plain = !value.is_empty() && value.bytes().all(|b| (b'!'..=b'~').contains(&b) && !matches!(b, b'"' | b'\\'));
    if plain && value.len() <= VALUE_LIMIT {
        line.push_str(value);
        return;
    }
    line.push('"');
    for byte in value.bytes().take(VALUE_LIMIT) {
        match byte {
            b'"' | b'\\' => {
                line.push('\\');
                line.push(char::from(byte));
            }
            b' '..=b'~' => line.push(char::from(byte)),
            // Writing to a String cannot fail.
            other => drop(write!(line, "\\x{other:02x}")),
        }
    }
    if value.len() > VALUE_LIMIT {
        line.push('…');
    }
    line.push('"');
}

/// The value that a text begins with, and the text behind the space after it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, behind) = text.split_once(' ').unwrap_or((text, ""));
        return Some((value.to_owned(), behind));
    };
    let mut octets = Vec::new();
    let mut rest = quoted;
    loop {
        let at = rest.find(['"', '\\'])?;
        octets.extend_from_slice(rest.get(..at)?.as_bytes());
        let mark = rest.get(at..)?;
        if let Some(behind) = mark.strip_prefix('"') {
            let behind = if behind.is_empty() { behind } else { behind.strip_prefix(' ')? };
            return Some((String::from_utf8(octets).ok()?, behind));
        }
        let escaped = mark.get(1..)?;
        rest = if let Some(hex) = escaped.strip_prefix('x') {
            octets.push(u8::from_str_radix(hex.get(..2)?, 16).ok()?);
            hex.get(2..)?
        } else {
            octets.push(*escaped.as_bytes().first().filter(|octet| octet.is_ascii())?);
            escaped.get(1..)?
        };
    }
}

/// The largest number of octets of one value in a line.
const VALUE_LIMIT: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: &str) -> String {
        print("r", Level::Info, Event::Gone, &[("k", &value), ("l", &1)])
    }

    fn check(value: &str, written: &str) {
        assert_eq!(line(value), format!("role=r level=info event=gone k={written} l=1\n"));
        let parsed = Line::parse(&format!("12:00:01 {}\r", line(value).trim_end())).unwrap();
        assert_eq!((parsed.role.as_str(), parsed.level, parsed.event), ("r", Level::Info, Event::Gone));
        assert_eq!((parsed.field("k"), parsed.field("l"), parsed.field("m")), (Some(value), Some("1"), None));
    }

    #[test]
    fn values_cannot_forge_a_line_and_come_back() {
        check("ada@example.org", "ada@example.org");
        check("", "\"\"");
        check("two words", "\"two words\"");
        check("a\nlevel=error", "\"a\\x0alevel=error\"");
        check("\u{1b}[2J\"\\", "\"\\x1b[2J\\\"\\\\\"");
        check("gr\u{fc}n", "\"gr\\xc3\\xbcn\"");
        check("a=b", "a=b");
        assert!(line(&"x".repeat(600)).contains(&format!("k=\"{}\u{2026}\" l=1", "x".repeat(512))));
    }

    #[test]
    fn other_lines_are_none_of_ours() {
        let wrong = [
            "",
            "role=r",
            "role=r level=info",
            "role=r level=loud event=gone",
            "role=r level=info event=nonsense",
            "level=info role=r event=gone",
            "role=r level=info event=gone k",
            "role=r level=info event=gone k=\"open",
            "role=r level=info event=gone k=\"\\xff\"",
            "role=r level=info event=gone k=\"\\x\u{fc}\"",
            "role=r level=info event=gone k=\"a\"b",
        ];
        for line in wrong {
            assert_eq!(Line::parse(line), None, "{line}");
        }
    }
}
