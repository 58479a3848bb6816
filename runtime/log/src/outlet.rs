//! [`Outlet`]: lines on their way to a reader that may have stopped. Whoever logs never waits: lines stand in a buffer
//! of bounded size until a thread has written them, those that find no room are counted, and the count is said.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The lines that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Outlet {
    waiting: Mutex<Waiting>,
    more: Condvar,
    none: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<String>,
    octets: usize,
    lost: u64,
    /// The thread has a line in hand.
    is_writing: bool,
}

impl Outlet {
    /// Takes a line, or counts it as lost.
    pub(crate) fn add(&self, line: String) {
        let mut waiting = self.waiting();
        // After a loss there is no room before that is said, so that the count stands where the lines are missing.
        if waiting.lost > 0 || waiting.octets + line.len() > ROOM {
            waiting.lost = waiting.lost.saturating_add(1);
            return;
        }
        waiting.push(line);
        self.more.notify_one();
    }

    /// Writes line after line, each in one piece so that those of several roles on one pipe do not mix; does not end.
    /// `lost` makes the line that says how many lines are missing before it.
    pub(crate) fn pour(&self, mut sink: impl Write, lost: impl Fn(u64) -> String) {
        loop {
            let line = self.next(&lost);
            // A log that is closed stops nobody.
            let _ = sink.write_all(line.as_bytes());
        }
    }

    fn next(&self, lost: &impl Fn(u64) -> String) -> String {
        let mut waiting = self.waiting();
        waiting.is_writing = false;
        loop {
            // Half of the room is free again: a reader that is only slow loses lines in few places.
            if waiting.lost > 0 && waiting.octets <= ROOM / 2 {
                let count = std::mem::take(&mut waiting.lost);
                waiting.push(lost(count));
            }
            if let Some(line) = waiting.lines.pop_front() {
                waiting.octets = waiting.octets.saturating_sub(line.len());
                waiting.is_writing = true;
                return line;
            }
            self.none.notify_all();
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until everything is written, for as long as `limit`.
    pub(crate) fn settle(&self, limit: Duration) {
        let is_busy = |waiting: &mut Waiting| waiting.is_writing || !waiting.lines.is_empty();
        // The time is up: the reader has stopped, and the process must not.
        let _ = self.none.wait_timeout_while(self.waiting(), limit, is_busy);
    }

    /// Nobody panics while holding it.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, line: String) {
        self.octets += line.len();
        self.lines.push_back(line);
    }
}

/// Octets of lines that wait: about 1,500 lines.
const ROOM: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::sync::Arc;

    #[test]
    fn a_reader_that_stops_holds_up_nobody_and_hears_what_it_missed() {
        let (reader, writer) = std::io::pipe().unwrap();
        let outlet = Arc::new(Outlet::default());
        let pouring = outlet.clone();
        std::thread::spawn(move || pouring.pour(writer, |count| format!("lost {count}\n")));
        // Nobody reads: the pipe holds 64 KiB, the buffer 256 KiB.
        let filler = "x".repeat(100);
        for number in 0..10_000 {
            outlet.add(format!("{number} {filler}\n"));
        }
        outlet.settle(Duration::ZERO);
        let mut lines = BufReader::new(reader).lines().map(|line| line.unwrap());
        let (mut next, mut lost) = (0, 0);
        while next < 10_000 {
            let line = lines.next().unwrap();
            match line.strip_prefix("lost ") {
                Some(count) => {
                    let count: u64 = count.parse().unwrap();
                    lost += count;
                    next += count;
                }
                None => {
                    assert!(line.starts_with(&format!("{next} ")), "{next}: {line}");
                    next += 1;
                }
            }
        }
        assert!((5000..7600).contains(&lost), "{lost}");
        outlet.add("last\n".to_owned());
        assert_eq!(lines.next().as_deref(), Some("last"));
        outlet.settle(Duration::from_secs(60));
        assert!(outlet.waiting().lines.is_empty());
    }
}
