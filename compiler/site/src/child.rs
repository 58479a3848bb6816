//! The evaluation in a process of its own: this program starts itself again, and whatever a site does to the evaluator
//! (endless recursion, all memory, an exhausted stack) ends as one finding. Start at [`evaluate_apart`].

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use postkiln_findings::{Code, codes};

use crate::Place;
use crate::answer::{Answer, Kind, Trouble};
use crate::beneath::Beneath;
use crate::confine::{self, MEMORY, SECONDS};
use crate::evaluate::{evaluate, stages};

/// The hidden command of `postkiln` that evaluates a site within limits.
pub const CHILD_COMMAND: &str = "evaluate-site";

/// Carries out that command: evaluates `entry` below `root` within limits and answers on stdout. With `tells` it
/// writes, instead of an answer, the place of each field it comes to.
///
/// # Errors
/// When the limits cannot be set, or stdout cannot be written.
pub fn evaluate_child(root: &Path, entry: &str, tells: bool) -> io::Result<()> {
    confine::confine(root)?;
    if tells {
        return tell(root, entry);
    }
    let answer = match Beneath::open(root) {
        Ok(beneath) => evaluate(&beneath, entry).ok_or_else(|| io::Error::other("the evaluator panicked"))?,
        Err(error) => unreadable(root, &error),
    };
    let bytes = postcard::to_allocvec(&answer).map_err(io::Error::other)?;
    let mut stdout = io::stdout().lock();
    stdout.write_all(&bytes)?;
    stdout.flush()
}

/// Writes one place a line. A write that fails means that nobody listens.
fn tell(root: &Path, entry: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    let mut line = |place: &Place| {
        let Place { file, line, column, end_line, end_column } = place;
        let _ = writeln!(stdout, "{line} {column} {end_line} {end_column} {file}");
    };
    stages(&Beneath::open(root)?, entry, &mut line);
    Ok(())
}

/// The answer when the site's folder cannot be opened.
pub(crate) fn unreadable(root: &Path, error: &io::Error) -> Answer {
    let trouble = Trouble::new(Kind::Unreadable, format!("{} cannot be opened: {error}", root.display()), None);
    Answer { troubles: vec![trouble], ..Answer::default() }
}

/// How an evaluation ended that gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The evaluation used all its processor time, or hung.
    Time,
    /// The evaluation wanted more memory than it may have.
    Memory,
    /// The evaluation recursed until its stack was exhausted.
    Stack,
    /// The process ended in any other way.
    Other,
}

/// Evaluates `entry` below `root` in a process of its own.
///
/// # Errors
/// The outer one when the process cannot be started; the inner one when it ended without an answer.
pub(crate) fn evaluate_apart(root: &Path, entry: &str) -> io::Result<Result<Answer, Ended>> {
    let Output { bytes, ended } = run(root, entry, false)?;
    Ok(match ended {
        Some(ended) => Err(ended),
        None => postcard::from_bytes(&bytes).map_err(|_| Ended::Other),
    })
}

/// Finds where an ended evaluation stood: evaluates once more and gives the field it had come to when it ended the same
/// way. This takes as long as the first time.
pub(crate) fn place_of_end(root: &Path, entry: &str, ended: Ended) -> Option<Place> {
    let again = run(root, entry, true).ok().filter(|again| again.ended == Some(ended))?;
    // The last line may have been cut off.
    let whole = again.bytes.iter().rposition(|byte| *byte == b'\n').and_then(|end| again.bytes.get(..end))?;
    let line = whole.rsplit(|byte| *byte == b'\n').next()?;
    let mut parts = std::str::from_utf8(line).ok()?.splitn(5, ' ');
    let mut number = || parts.next()?.parse().ok();
    let (line, column, end_line, end_column) = (number()?, number()?, number()?, number()?);
    Some(Place { file: parts.next()?.into(), line, column, end_line, end_column })
}

/// The output of an evaluating process, and how it ended.
struct Output {
    bytes: Vec<u8>,
    /// The reason of the end, unless the process ended well.
    ended: Option<Ended>,
}

fn run(root: &Path, entry: &str, tells: bool) -> io::Result<Output> {
    let mut child = Command::new(std::env::current_exe()?)
        .args([CHILD_COMMAND.as_ref(), root.as_os_str(), entry.as_ref()])
        .args(tells.then_some("--tell"))
        .env_clear()
        // Control-C is meant for the process that waits for the answer; this child ends together with it (`confine`).
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("no pipes to the evaluator"));
    };
    let (sender, answered) = mpsc::channel();
    let answers = std::thread::spawn(move || {
        let bytes = read_up_to(stdout, LARGEST_ANSWER);
        let _ = sender.send(());
        bytes
    });
    let complaints = std::thread::spawn(move || read_up_to(stderr, LARGEST_COMPLAINT));
    // The kernel limits processor time. This limit is for a machine so busy, or a child so stuck, that the child never
    // runs.
    let hung = answered.recv_timeout(LONGEST_WAIT).is_err();
    if hung {
        child.kill()?;
    }
    let status = child.wait()?;
    let bytes = answers.join().unwrap_or_default();
    let complaints = complaints.join().unwrap_or_default();
    let ended = match (hung, status.success()) {
        (true, _) => Some(Ended::Time),
        (false, true) => None,
        (false, false) => Some(ended(status, &complaints)),
    };
    Ok(Output { bytes, ended })
}

/// Reads at most `limit` bytes, and drains the rest so that the writer is never stuck.
fn read_up_to(mut from: impl Read, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = from.by_ref().take(limit).read_to_end(&mut bytes);
    let _ = io::copy(&mut from, &mut io::sink());
    bytes
}

/// The reason of an end, from the signal and from the runtime's last words on standard error.
fn ended(status: ExitStatus, complaints: &[u8]) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    let complaints = String::from_utf8_lossy(complaints);
    if complaints.contains("has overflowed its stack") {
        return Ended::Stack;
    }
    if OUT_OF_MEMORY.iter().any(|words| complaints.contains(words)) {
        return Ended::Memory;
    }
    match status.signal() {
        // SIGXCPU.
        Some(24) => Ended::Time,
        // SIGKILL comes from a machine that is out of memory; SIGABRT from a program that got no memory, even for its
        // last words.
        Some(9 | 6) => Ended::Memory,
        // SIGSEGV.
        Some(11) => Ended::Stack,
        _ => Ended::Other,
    }
}

impl Ended {
    /// The finding's code, message and hint.
    pub(crate) fn words(self) -> (Code, String, &'static str) {
        match self {
            Self::Time => (
                codes::TIME,
                format!("evaluating the site took more than {SECONDS} seconds of processor time"),
                "look for a function or a value that refers to itself without end",
            ),
            Self::Memory => (
                codes::MEMORY,
                format!("evaluating the site took more than {} MiB of memory", MEMORY >> 20),
                "look for endless recursion or a list that is generated far too long",
            ),
            Self::Stack => (
                codes::NESTING,
                "the site is nested too deeply to be evaluated".to_owned(),
                "look for endless recursion or thousands of nested expressions",
            ),
            Self::Other => (
                codes::EVALUATOR,
                "the evaluator failed without an answer".to_owned(),
                "this is a fault of Postkiln: please report it together with the site",
            ),
        }
    }
}

/// The words by which Rust's allocator, the interpreter and collections report missing memory.
const OUT_OF_MEMORY: [&str; 3] = ["memory allocation of", "out of memory", "capacity overflow"];
const LARGEST_ANSWER: u64 = 1 << 30;
const LARGEST_COMPLAINT: u64 = 64 << 10;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn check(signal: i32, complaint: &str, expected: Ended) {
        assert_eq!(ended(ExitStatus::from_raw(signal), complaint.as_bytes()), expected, "{signal} {complaint}");
    }

    #[test]
    fn each_end_has_its_code() {
        let codes = [Ended::Time, Ended::Memory, Ended::Stack, Ended::Other].map(|ended| ended.words().0);
        assert_eq!(codes, ["E0105", "E0106", "E0104", "E0107"]);
    }

    #[test]
    fn the_way_it_died_tells_why() {
        check(24, "", Ended::Time);
        check(9, "", Ended::Memory);
        check(6, "", Ended::Memory);
        check(6, "memory allocation of 4096 bytes failed", Ended::Memory);
        check(
            4 << 8,
            "panicked at x.rs:1:1:\nout of memory: failed to allocate memory for Nickel value",
            Ended::Memory,
        );
        check(6, "thread '<unnamed>' has overflowed its stack", Ended::Stack);
        check(11, "", Ended::Stack);
        check(1 << 8, "postkiln: something", Ended::Other);
    }
}
