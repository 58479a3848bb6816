//! Dialogs: conversations with a protocol session in text files, replayed as written, one octet at a time, and with all
//! input at once. Included by the tests of each `proto` crate; knows no protocol. Start at [`replay_folder`].
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

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, mem};

/// One observable act of a session.
pub(crate) enum Event {
    /// The session sends octets to the client.
    Sent(Vec<u8>),
    /// The session hands content to the driver.
    #[allow(dead_code, reason = "not every protocol does")]
    Content(Vec<u8>),
    /// The session asks this question, printed as in a dialog.
    Asked(String),
    /// The session does something else: abort, starttls, close.
    Did(&'static str),
}

/// A session under test.
pub(crate) trait Party {
    /// Gives the session input from the client.
    fn receive(&mut self, bytes: &[u8]);
    /// The session's next act, if it has one.
    fn next(&mut self) -> Option<Event>;
    /// Gives the session the answer to its last question, as a dialog writes it.
    fn answer(&mut self, text: &str);
    /// Lets time pass.
    fn wait(&mut self, seconds: u64);
    /// Tells the session that the TLS handshake is over.
    fn handshake(&mut self);
}

/// Makes a session with the settings of a dialog.
pub(crate) type Make = dyn Fn(&[(String, String)]) -> Box<dyn Party>;

/// Replays each `*.dialog` of a folder in all three ways; gives the number of dialogs.
pub(crate) fn replay_folder(folder: &Path, make: &Make) -> usize {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "dialog"));
    files.sort();
    let mut failures = String::new();
    for file in &files {
        let dialog = Dialog::parse(&fs::read_to_string(file).unwrap());
        for pieces in [Pieces::AsWritten, Pieces::Octets, Pieces::Ahead] {
            let actual = dialog.replay(make, pieces);
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
    fn parse(text: &str) -> Self {
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
                "C:" | "c:" => {
                    let mut bytes = unescape(rest);
                    bytes.extend_from_slice(if kind == "C:" { b"\r\n" } else { b"" });
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
                "S:" | "D:" | "D~" | "A:" => dialog.expected.push(line.trim_end().to_owned()),
                _ => panic!("not a line of a dialog: {line}"),
            }
            waiting = matches!(kind, "C:" | "c:");
        }
        dialog
    }

    fn replay(&self, make: &Make, pieces: Pieces) -> Vec<String> {
        let mut party = make(&self.settings);
        let mut transcript = Transcript::default();
        let mut answers = self.answers.iter();
        let mut ahead = Vec::new();
        drain(&mut *party, &mut transcript, &mut answers);
        for step in &self.steps {
            match step {
                Step::Client(bytes) if pieces == Pieces::Ahead => {
                    ahead.extend_from_slice(bytes);
                    continue;
                }
                Step::Client(bytes) if pieces == Pieces::Octets => {
                    for byte in bytes.chunks(1) {
                        party.receive(byte);
                        drain(&mut *party, &mut transcript, &mut answers);
                    }
                }
                Step::Client(bytes) => party.receive(bytes),
                Step::Wait(_) | Step::Handshake => {
                    party.receive(&mem::take(&mut ahead));
                    drain(&mut *party, &mut transcript, &mut answers);
                    match step {
                        Step::Wait(seconds) => party.wait(*seconds),
                        _ => party.handshake(),
                    }
                }
            }
            drain(&mut *party, &mut transcript, &mut answers);
        }
        party.receive(&ahead);
        drain(&mut *party, &mut transcript, &mut answers);
        transcript.finish()
    }
}

fn drain<'a>(party: &mut dyn Party, transcript: &mut Transcript, answers: &mut impl Iterator<Item = &'a String>) {
    while let Some(event) = party.next() {
        match event {
            Event::Sent(bytes) => transcript.sent(&bytes),
            Event::Content(bytes) => transcript.content.extend(bytes),
            Event::Did(note) => transcript.push(format!("A: {note}")),
            Event::Asked(question) => {
                transcript.push(format!("Q: {question}"));
                if let Some(answer) = answers.next() {
                    party.answer(answer);
                }
            }
        }
    }
}

#[derive(Default)]
struct Transcript {
    lines: Vec<String>,
    content: Vec<u8>,
    sent: Vec<u8>,
}

impl Transcript {
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
            self.lines.push(format!("S: {text}").trim_end().to_owned());
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
pub(crate) fn unescape(text: &str) -> Vec<u8> {
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
