//! Bounded waiting: every wait of the tests ends, with a reason. Knows nothing about the events it waits for.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Calls `look` again and again until it gives something.
///
/// # Panics
/// When the limit is over; `what` names the event that did not happen.
pub fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        // Another process changes files or ports and cannot tell us; the interval decides how late we see
        // it, never whether.
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// A stream's lines as they come, on a thread of their own.
#[must_use]
pub fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if sender.send(text).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The outcome of a program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The program's exit status.
    pub status: ExitStatus,
    /// The program's standard output.
    pub output: String,
    /// The program's standard error.
    pub errors: String,
}

impl Ended {
    /// The exit status as a number; −1 when a signal ended it.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Insists on status 0.
    ///
    /// # Panics
    /// With the program's whole output, when it failed.
    #[must_use]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{}\n--- output\n{}\n--- errors\n{}", self.status, self.output, self.errors);
        self
    }
}

/// Runs a program to its end.
///
/// # Panics
/// When it cannot be started or does not end within the limit (it is killed then).
pub fn finish(command: &mut Command, limit: Duration) -> Ended {
    let shown = format!("{command:?}");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
    let output = lines_of(child.stdout.take().expect("piped"));
    let errors = lines_of(child.stderr.take().expect("piped"));
    let status = wait_for(&mut child, limit).unwrap_or_else(|| {
        let _ = child.kill();
        let _ = child.wait();
        panic!("not finished within {limit:?}: {shown}\n{}\n{}", drained(&output), drained(&errors))
    });
    Ended { status, output: drained(&output), errors: drained(&errors) }
}

/// Waits for a child, at most for this time.
pub(crate) fn wait_for(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < end => thread::park_timeout(Duration::from_millis(10)),
            _ => return None,
        }
    }
}

/// All lines up to the stream's end. A stream that a grandchild keeps open is not waited for.
fn drained(lines: &Receiver<String>) -> String {
    let mut text = String::new();
    loop {
        match lines.recv_timeout(Duration::from_secs(2)) {
            Ok(line) => {
                text.push_str(&line);
                text.push('\n');
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return text,
        }
    }
}
