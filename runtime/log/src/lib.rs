//! Log lines: one per event on standard error, `key=value`, escaped. Knows no events, which are named where they
//! happen. Start at [`info`].
//!
//! ```
//! postkiln_log::info("delivered", &[("queue", &"5f3a"), ("to", &"ada@example.org")]);
//! // role=local level=info event=delivered queue=5f3a to=ada@example.org
//! ```

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::sync::OnceLock;

static ROLE: OnceLock<&str> = OnceLock::new();

/// Names the role that every line of this process begins with. The first call counts.
pub fn begin(role: &'static str) {
    let _ = ROLE.set(role);
}

/// Logs an event after which a person has to act.
pub fn error(event: &str, fields: &[(&str, &dyn Display)]) {
    write("error", event, fields);
}

/// Logs an event that a person may want to look at.
pub fn warn(event: &str, fields: &[(&str, &dyn Display)]) {
    write("warn", event, fields);
}

/// Logs an event of the mail log.
pub fn info(event: &str, fields: &[(&str, &dyn Display)]) {
    write("info", event, fields);
}

/// An error with its causes in one line, for a field's value.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {next}");
        cause = next.source();
    }
    text
}

fn write(level: &str, event: &str, fields: &[(&str, &dyn Display)]) {
    let line = line(ROLE.get().copied().unwrap_or("-"), level, event, fields);
    // One write per line, so that lines of several roles on one pipe do not mix; a full or closed log stops nobody.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn line(role: &str, level: &str, event: &str, fields: &[(&str, &dyn Display)]) -> String {
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

/// The largest number of octets of one value in a line.
const VALUE_LIMIT: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, written: &str) {
        assert_eq!(line("r", "info", "e", &[("k", &value)]), format!("role=r level=info event=e k={written}\n"));
    }

    #[test]
    fn values_cannot_forge_a_line() {
        check("ada@example.org", "ada@example.org");
        check("", "\"\"");
        check("two words", "\"two words\"");
        check("a\nlevel=error", "\"a\\x0alevel=error\"");
        check("\u{1b}[2J\"\\", "\"\\x1b[2J\\\"\\\\\"");
        check("gr\u{fc}n", "\"gr\\xc3\\xbcn\"");
        check(&"x".repeat(600), &format!("\"{}\u{2026}\"", "x".repeat(512)));
    }
}
