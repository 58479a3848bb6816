//! Log lines: one per event on standard error. Their form and the names of the events are those of `schemas/operation`.
//! A process that has called [`detach`] never waits for the reader of its lines. Start at [`info`].
//!
//! ```
//! use postkiln_log::Event;
//! postkiln_log::info(Event::Delivered, &[("queue", &"5f3a"), ("to", &"ada@example.org")]);
//! // role=local level=info event=delivered queue=5f3a to=ada@example.org
//! ```

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod outlet;

use std::fmt::{Display, Write as _};
use std::io;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

pub use postkiln_operation::log::Event;
use postkiln_operation::log::{Level, print};

use outlet::Outlet;

static ROLE: OnceLock<&str> = OnceLock::new();
static OUTLET: OnceLock<Outlet> = OnceLock::new();

/// Names the role that every line of this process begins with. The first call counts.
pub fn begin(role: &'static str) {
    let _ = ROLE.set(role);
}

/// Hands the lines of this process to a thread of their own from now on: a console or a pipe that nobody reads then
/// costs lines, which are counted, and not the work of those who log. To be called when signals are blocked and powers
/// given up: the thread keeps what it starts with.
///
/// # Errors
/// When there can be no thread.
pub fn detach() -> io::Result<()> {
    let mut is_new = false;
    let outlet = OUTLET.get_or_init(|| {
        is_new = true;
        Outlet::default()
    });
    if is_new {
        let lost = |count: u64| line(Level::Warn, Event::LinesLost, &[("lines", &count)]);
        let pour = move || outlet.pour(StandardError, lost);
        thread::Builder::new().name("log".to_owned()).stack_size(STACK).spawn(pour)?;
    }
    Ok(())
}

/// Waits, for a second at most, until the lines of this process are written: to be called before it ends.
pub fn finish() {
    if let Some(outlet) = OUTLET.get() {
        outlet.settle(PATIENCE);
    }
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
    let line = line(level, event, fields);
    match OUTLET.get() {
        Some(outlet) => outlet.add(line),
        // A closed log stops nobody.
        None => drop(io::Write::write_all(&mut StandardError, line.as_bytes())),
    }
}

fn line(level: Level, event: Event, fields: &[(&str, &dyn Display)]) -> String {
    print(ROLE.get().copied().unwrap_or("-"), level, event, fields)
}

/// Standard error without the lock of [`std::io::stderr`]: a thread that waits in there would hold up the words
/// of a panic.
struct StandardError;

impl io::Write for StandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(io::stderr(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Octets of the thread's stack; it needs little.
const STACK: usize = 128 << 10;
/// How long the end of a process waits for the reader of its lines.
const PATIENCE: Duration = Duration::from_secs(1);
