//! The evaluation in a process of its own: this program starts itself again, and whatever a site does to the evaluator
//! (endless recursion, all memory, an exhausted stack) ends as one finding. Files beside the site are read there too.
//! Start at [`Apart`].

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use postkiln_findings::{Code, codes};
use serde::{Deserialize, Serialize};

use crate::Place;
use crate::answer::{Answer, Kind, Trouble};
use crate::beneath::{Beneath, BeneathError};
use crate::confine::{self, MEMORY, SECONDS};
use crate::evaluate::stages;
use crate::population::Fault;
use crate::serve::serve;
use crate::wire::{self, Reply, Request};

/// The hidden command of `postkiln` that evaluates a site within limits.
pub const CHILD_COMMAND: &str = "evaluate-site";

/// Carries out that command: answers requests about the site below `root` on stdin and stdout, within limits. With the
/// name of a main file it writes, instead, the place of each field that the evaluation comes to.
///
/// # Errors
/// When the limits cannot be set, or nobody reads the answers.
pub fn evaluate_child(root: &Path, tells: Option<&str>) -> io::Result<()> {
    confine::confine(root)?;
    if let Some(entry) = tells {
        return tell(root, entry);
    }
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    serve(root, input, output)
}

/// Writes one place a line. A write that fails means that nobody listens.
fn tell(root: &Path, entry: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    let mut line = |place: &Place| {
        let Place { file, line, column, end_line, end_column } = place;
        let _ = writeln!(stdout, "{line} {column} {end_line} {end_column} {file}");
    };
    // The one who asks looks for the same end as before.
    if stages(&Beneath::open(root)?, entry, &mut line) {
        Ok(())
    } else {
        Err(io::Error::other("the evaluator panicked"))
    }
}

/// The answer when the site's folder cannot be opened.
pub(crate) fn unreadable(root: &Path, error: &io::Error) -> Answer {
    let trouble = Trouble::new(Kind::Unreadable, format!("{} cannot be opened: {error}", root.display()), None);
    Answer { troubles: vec![trouble], ..Answer::default() }
}

/// How a process ended that gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// The limited process, seen from the one that wants the site. It ends with this value.
#[derive(Debug)]
pub(crate) struct Apart {
    child: Child,
    stream: BufReader<UnixStream>,
    complaints: Option<JoinHandle<Vec<u8>>>,
    /// How the process ended, once it did.
    ended: Option<Ended>,
}

impl Apart {
    /// Starts the process for the site below `root`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(root: &Path) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        // The kernel limits processor time. This limit is for a machine so busy, or a child so stuck, that the
        // child never runs.
        ours.set_read_timeout(Some(LONGEST_WAIT))?;
        let mut command = command(root)?;
        command.stdin(OwnedFd::from(theirs.try_clone()?)).stdout(OwnedFd::from(theirs));
        let mut child = command.spawn()?;
        let stderr = child.stderr.take().ok_or_else(|| io::Error::other("no pipe to the evaluator"))?;
        let complaints = std::thread::spawn(move || read_up_to(stderr, LARGEST_COMPLAINT));
        Ok(Self { child, stream: BufReader::new(ours), complaints: Some(complaints), ended: None })
    }

    /// Asks, and waits for the first answer.
    ///
    /// # Errors
    /// When the process ended, or ends now.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Reply, Ended> {
        let sent = wire::write(self.stream.get_mut(), request);
        if sent.is_err() { Err(self.end(false)) } else { self.next() }
    }

    fn next(&mut self) -> Result<Reply, Ended> {
        match wire::read(&mut self.stream) {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(self.end(false)),
            Err(error) => Err(self.end(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))),
        }
    }

    /// The content of a file.
    ///
    /// # Errors
    /// The outer one when the process ended, the inner one when the file cannot be read.
    pub(crate) fn content(&mut self, path: &str) -> Result<Result<Vec<u8>, BeneathError>, Ended> {
        let Reply::Content(read) = self.ask(&Request::Read(path.to_owned()))? else { return Err(self.end(false)) };
        let length = match read {
            Ok(length) => length,
            Err(error) => return Ok(Err(error)),
        };
        wire::content(&mut self.stream, length).map(Ok).map_err(|_| self.end(false))
    }

    /// Asks for many things, of which `those` finds some in each answer; a process that ends is a mistake
    /// after the last.
    pub(crate) fn each<T>(
        &mut self,
        request: &Request,
        those: impl Fn(Reply) -> Option<Vec<Result<T, Fault>>>,
        each: &mut dyn FnMut(Result<T, Fault>),
    ) {
        let mut reply = self.ask(request);
        loop {
            match reply {
                Ok(Reply::End) => return,
                Ok(some) => those(some).into_iter().flatten().for_each(&mut *each),
                Err(ended) => return each(Err(ended.into())),
            }
            reply = self.next();
        }
    }

    /// How the process ended; it is ended when it did not by itself.
    fn end(&mut self, hung: bool) -> Ended {
        if let Some(ended) = self.ended {
            return ended;
        }
        if hung {
            let _ = self.child.kill();
        }
        // A process that is still there has nobody to talk to.
        let _ = self.stream.get_ref().shutdown(Shutdown::Both);
        let status = self.child.wait();
        let complaints = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let ended = match (hung, status) {
            (true, _) => Ended::Time,
            (false, Ok(status)) => ended(status, &complaints),
            (false, Err(_)) => Ended::Other,
        };
        *self.ended.insert(ended)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Finds where an ended evaluation stood: evaluates once more and gives the field it had come to when it ended the same
/// way. This takes as long as the first time.
pub(crate) fn place_of_end(root: &Path, entry: &str, ended: Ended) -> Option<Place> {
    let again = run(root, entry).ok().filter(|again| again.ended == Some(ended))?;
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

fn run(root: &Path, entry: &str) -> io::Result<Output> {
    let mut command = command(root)?;
    let mut child = command.args(["--tell", entry]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
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

/// The command of the limited process.
fn command(root: &Path) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([CHILD_COMMAND.as_ref(), root.as_os_str()]).env_clear().stderr(Stdio::piped());
    // Control-C is meant for the process that waits for the answer; this child ends together with it (`confine`).
    command.process_group(0);
    Ok(command)
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

/// The reason in a few words.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time => write!(f, "that took more than {SECONDS} seconds of processor time"),
            Self::Memory => write!(f, "that took more than {} MiB of memory", MEMORY >> 20),
            Self::Stack => f.write_str("it is nested too deeply"),
            Self::Other => f.write_str("the process that reads it failed"),
        }
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
