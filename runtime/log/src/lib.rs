//! Log lines: one per event on standard error. Their form and the names of the events are those of `schemas/operation`.
//! Start at [`info`].
//!
//! ```
//! use postkiln_log::Event;
//! postkiln_log::info(Event::Delivered, &[("queue", &"5f3a"), ("to", &"ada@example.org")]);
//! // role=local level=info event=delivered queue=5f3a to=ada@example.org
//! ```

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::sync::OnceLock;

pub use postkiln_operation::log::Event;
use postkiln_operation::log::{Level, print};

static ROLE: OnceLock<&str> = OnceLock::new();

/// Names the role that every line of this process begins with. The first call counts.
pub fn begin(role: &'static str) {
    let _ = ROLE.set(role);
}

/// Logs an event after which a person has to act.
pub fn error(event: Event, fields: &[(&str, &dyn Display)]) {
    write(Level::Error, event, fields);
}

/// Logs an event that a person may want to look at.
pub fn warn(event: Event, fields: &[(&str, &dyn Display)]) {
    write(Level::Warn, event, fields);
}

/// Logs an event of the mail log.
pub fn info(event: Event, fields: &[(&str, &dyn Display)]) {
    write(Level::Info, event, fields);
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

fn write(level: Level, event: Event, fields: &[(&str, &dyn Display)]) {
    let line = print(ROLE.get().copied().unwrap_or("-"), level, event, fields);
    // One write per line, so that lines of several roles on one pipe do not mix; a full or closed log stops nobody.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
