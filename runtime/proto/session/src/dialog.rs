//! Dialogs: conversations with a protocol session in text files, replayed as written, one octet at a time, and with all
//! input at once. For the tests of the `proto` crates, and nothing else; knows no protocol. Start at [`replay_folder`].
//!
//! A file holds, one per line:
//!
//! ```text
//! # a comment: the first says what the dialog shows
//! = KEY VALUE          a setting of the session
//! C: TEXT              the client sends TEXT and CRLF; \r \n \0 \xNN \\ are escapes
//! c: TEXT              the same without CRLF
//! S: TEXT              the session sends this line
//! Q: QUESTION => ANSWER
//! D: TEXT              a line of content handed to the driver; `D~` when it has no line end
//! D: (N octets)        content of more than 400 octets
//! A: NOTE              another action: abort, starttls, close
//! T: SECONDS           time passes, and the session is told when its deadline is over
//! H:                   the TLS handshake is over
//! (N                   the lines up to `)` stand N times
//! ```
//!
//! Where the session under test is the client, `C:` and `S:` change their parts: the server's lines go in, the
//! client's come out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

use std::fmt::Write as _;
use std::path::Path;
use std::slice::Iter;
use std::time::{Duration, Instant};
use std::{fs, mem};

use crate::{Action, Session};

/// A protocol under test: how its sessions are made, and how its questions and answers are written in a dialog.
pub trait Protocol: Sized {
    /// The protocol's session.
    type Session: Session;
    /// The part of the session under test.
    const PART: Part = Part::Server;

    /// Makes a session, and the party that plays its surroundings, from the settings of a dialog.
    fn begin(settings: &[(String, String)], now: Instant) -> (Self, Self::Session);

    /// The answer of a party that plays a mailbox itself; the question does not stand in the dialog then.
    ///
    /// # Errors
    /// The question, when the dialog has the answer.
    fn know(&mut self, question: Question<Self>) -> Result<Answer<Self>, Question<Self>> {
        Err(question)
    }

    /// A question as a dialog has it.
    fn print(question: &Question<Self>) -> String;

    /// An answer as a dialog has it.
    fn read(answer: &str) -> Answer<Self>;

    /// So much time has passed since the beginning.
    fn passed(&mut self, since_the_beginning: Duration) {
        let _ = since_the_beginning;
    }
}

/// The part that a session plays in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its lines begin with `S`, and its peer's with `C`.
    Server,
    /// Its lines begin with `C`, and its peer's with `S`.
    Client,
}

impl Part {
    /// The letters of the session and of its peer.
    const fn letters(self) -> (char, char) {
        match self {
            Self::Server => ('S', 'C'),
            Self::Client => ('C', 'S'),
        }
    }
}

type Question<P> = <<P as Protocol>::Session as Session>::Question;
type Answer<P> = <<P as Protocol>::Session as Session>::Answer;

/// Replays each `*.dialog` of a folder in all three ways; gives how many there are.
///
/// # Panics
/// When one comes out differently, with the difference.
#[must_use]
pub fn replay_folder<P: Protocol>(folder: &Path, start: Instant) -> usize {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "dialog"));
    files.sort();
    let mut failures = String::new();
    for file in &files {
        let dialog = Dialog::parse(&fs::read_to_string(file).unwrap(), P::PART);
        for pieces in [Pieces::AsWritten, Pieces::Octets, Pieces::Ahead] {
            let actual = Replay::<P>::new(&dialog, start).run(&dialog, pieces);
            if actual != dialog.expected {
                write!(failures, "\n{} ({pieces:?})\n{}", file.display(), difference(&dialog.expected, &actual))
                    .unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    files.len()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Pieces {
    AsWritten,
    Octets,
    /// As much input as possible is given before the session's acts are looked at.
    Ahead,
}

enum Step {
    Client(Vec<u8>),
    Wait(u64),
    Handshake,
}

struct Dialog {
    settings: Vec<(String, String)>,
    steps: Vec<Step>,
    expected: Vec<String>,
    answers: Vec<String>,
}

impl Dialog {
    fn parse(text: &str, part: Part) -> Self {
        let (own, peer) = part.letters();
        let mut dialog = Self { settings: Vec::new(), steps: Vec::new(), expected: Vec::new(), answers: Vec::new() };
        let mut waiting = false;
        for line in expand(text) {
            let (kind, rest) = line.split_at(line.len().min(2));
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            match kind {
                "= " => {
                    let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
                    dialog.settings.push((key.to_owned(), value.to_owned()));
                }
                _ if kind.ends_with(':') && kind.starts_with([peer, peer.to_ascii_lowercase()]) => {
                    let mut bytes = unescape(rest);
                    bytes.extend_from_slice(if kind.starts_with(peer) { b"\r\n" } else { b"" });
                    match dialog.steps.last_mut() {
                        Some(Step::Client(run)) if waiting => run.extend(bytes),
                        _ => dialog.steps.push(Step::Client(bytes)),
                    }
                }
                "T:" => dialog.steps.push(Step::Wait(rest.parse().unwrap())),
                "H:" => dialog.steps.push(Step::Handshake),
                "Q:" => {
                    let (question, answer) = rest.split_once(" => ").unwrap_or_else(|| panic!("no answer: {line}"));
                    dialog.expected.push(format!("Q: {question}"));
                    dialog.answers.push(answer.to_owned());
                }
                "D:" | "D~" | "A:" => dialog.expected.push(line.trim_end().to_owned()),
                _ if kind.ends_with(':') && kind.starts_with(own) => dialog.expected.push(line.trim_end().to_owned()),
                _ => panic!("not a line of a dialog: {line}"),
            }
            waiting = kind.ends_with(':') && kind.starts_with([peer, peer.to_ascii_lowercase()]);
        }
        dialog
    }
}

/// A dialog that is being replayed.
struct Replay<'a, P: Protocol> {
    party: P,
    session: P::Session,
    transcript: Transcript,
    answers: Iter<'a, String>,
    start: Instant,
    now: Instant,
}

impl<'a, P: Protocol> Replay<'a, P> {
    fn new(dialog: &'a Dialog, start: Instant) -> Self {
        let (party, session) = P::begin(&dialog.settings, start);
        let answers = dialog.answers.iter();
        Self { party, session, transcript: Transcript::new(P::PART), answers, start, now: start }
    }

    fn run(mut self, dialog: &Dialog, pieces: Pieces) -> Vec<String> {
        let mut ahead = Vec::new();
        self.drain();
        for step in &dialog.steps {
            match step {
                Step::Client(bytes) if pieces == Pieces::Ahead => {
                    ahead.extend_from_slice(bytes);
                    continue;
                }
                Step::Client(bytes) if pieces == Pieces::Octets => bytes.chunks(1).for_each(|byte| self.hear(byte)),
                Step::Client(bytes) => self.hear(bytes),
                Step::Wait(seconds) => {
                    self.hear(&mem::take(&mut ahead));
                    self.now += Duration::from_secs(*seconds);
                    self.party.passed(self.now - self.start);
                    self.session.expire(self.now);
                }
                Step::Handshake => {
                    self.hear(&mem::take(&mut ahead));
                    self.session.tls_started(self.now);
                }
            }
            self.drain();
        }
        self.hear(&ahead);
        self.transcript.finish()
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.session.receive(bytes, self.now);
        self.drain();
    }

    /// Does what the session wants, until it wants nothing.
    fn drain(&mut self) {
        while let Some(action) = self.session.next() {
            match action {
                Action::Send(bytes) => self.transcript.sent(&bytes),
                Action::Content(bytes) => self.transcript.content.extend(bytes),
                Action::Abort => self.transcript.push("A: abort".to_owned()),
                Action::StartTls => self.transcript.push("A: starttls".to_owned()),
                Action::Close => self.transcript.push("A: close".to_owned()),
                Action::Ask(question) => match self.party.know(question) {
                    Ok(answer) => self.session.answer(answer, self.now),
                    Err(question) => {
                        self.transcript.push(format!("Q: {}", P::print(&question)));
                        if let Some(answer) = self.answers.next() {
                            self.session.answer(P::read(answer), self.now);
                        }
                    }
                },
            }
        }
    }
}

struct Transcript {
    part: Part,
    lines: Vec<String>,
    content: Vec<u8>,
    sent: Vec<u8>,
}

impl Transcript {
    const fn new(part: Part) -> Self {
        Self { part, lines: Vec::new(), content: Vec::new(), sent: Vec::new() }
    }

    fn push(&mut self, line: String) {
        self.flush();
        self.lines.push(line.trim_end().to_owned());
    }

    fn sent(&mut self, bytes: &[u8]) {
        if self.sent.is_empty() {
            self.flush();
        }
        self.sent.extend_from_slice(bytes);
    }

    fn flush(&mut self) {
        let sent = mem::take(&mut self.sent);
        for line in sent.split_inclusive(|b| *b == b'\n') {
            let text = line.strip_suffix(b"\r\n").map_or_else(|| escape(line), escape);
            self.lines.push(format!("{}: {text}", self.part.letters().0).trim_end().to_owned());
        }
        let content = mem::take(&mut self.content);
        if content.len() > 400 {
            self.lines.push(format!("D: ({} octets)", content.len()));
            return;
        }
        for line in content.split_inclusive(|b| *b == b'\n') {
            let (kind, text) = line.strip_suffix(b"\n").map_or(("D~", line), |text| ("D:", text));
            self.lines.push(format!("{kind} {}", escape(text)).trim_end().to_owned());
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.flush();
        self.lines
    }
}

fn difference(expected: &[String], actual: &[String]) -> String {
    let same = expected.iter().zip(actual).take_while(|(a, b)| a == b).count();
    let show = |lines: &[String]| lines.iter().skip(same).take(4).map(|l| format!("    {l}\n")).collect::<String>();
    format!("  after {same} equal lines, expected\n{}  and got\n{}", show(expected), show(actual))
}

/// The lines of a dialog without comments, repetitions written out.
fn expand(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut group: Option<(usize, usize)> = None;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix('('), line) {
            (Some(count), _) => group = Some((count.parse().unwrap(), lines.len())),
            (None, ")") => {
                let (count, start) = group.take().unwrap();
                let body = lines.split_off(start);
                (0..count).for_each(|_| lines.extend(body.iter().cloned()));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Decodes the escapes of a dialog: `\r \n \0 \xNN \\`.
///
/// # Panics
/// When an escape is not complete.
#[must_use]
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('r')) => bytes.push(b'\r'),
            ('\\', Some('n')) => bytes.push(b'\n'),
            ('\\', Some('0')) => bytes.push(0),
            ('\\', Some('x')) => {
                let digits: String = chars.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            ('\\', other) => bytes.extend(other.unwrap().to_string().bytes()),
            (c, _) => bytes.extend(c.to_string().bytes()),
        }
    }
    bytes
}

fn escape(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => write!(text, "\\x{other:02x}").unwrap(),
        }
        text
    })
}
