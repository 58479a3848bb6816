//! Where text goes: results to stdout, everything for people to stderr. A closed pipe is not an error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// One line of the result.
pub(crate) fn result(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// The result as one JSON document, pretty, in place of text.
pub(crate) fn json(document: &impl Serialize) {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    result(&text);
}

/// One line for people.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Clears the terminal that stderr is.
pub(crate) fn clear() {
    let _ = write!(io::stderr().lock(), "\x1b[H\x1b[2J");
}

/// Whether stderr may carry colour: a terminal, and nobody said `NO_COLOR` (no-color.org: set and not empty).
pub(crate) fn colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether stdout may carry colour.
pub(crate) fn colour_of_result() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
