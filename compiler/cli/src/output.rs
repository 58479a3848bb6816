//! The streams for text: results to stdout, everything else for people to stderr. A closed pipe is not an error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// Prints one line of the result to stdout.
pub(crate) fn result(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Prints the result as one indented JSON document, in place of text.
pub(crate) fn json(document: &impl Serialize) {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    result(&text);
}

/// Prints one line for people to stderr.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Clears the terminal, if stderr is one.
pub(crate) fn clear() {
    let _ = write!(io::stderr().lock(), "\x1b[H\x1b[2J");
}

/// Whether stderr may carry colour: it is a terminal, and `NO_COLOR` is unset or empty (no-color.org).
pub(crate) fn colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether stdout may carry colour.
pub(crate) fn colour_of_result() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
