//! Commands out of octets (RFC 3501 §2.2.1, RFC 7888): a command is its lines with the literals that stand between
//! them, in one piece. Bounded: what is too long is read to its end and forgotten. Knows no command but APPEND, whose
//! literal is a message and may be longer.

use memchr::memchr;

/// Input that waits to be cut.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    buffer: Vec<u8>,
    /// Octets at the head of the buffer that belong to the command under way and are understood.
    taken: usize,
    /// Octets after `taken` without a line end.
    searched: usize,
    /// Octets of a literal still to come; they are kept.
    literal: usize,
    /// Octets to come that nobody wants.
    skip: u64,
    /// Octets taken so far without the literals.
    plain: usize,
    /// The command under way is over a limit.
    spoilt: bool,
}

/// A piece of input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A whole command or line, without its last line end.
    Command(Vec<u8>),
    /// The client waits for leave to send a literal.
    Continue,
    /// A command over a limit, or what of it was kept; it is consumed.
    TooLong(Vec<u8>),
}

/// How long things may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) line: usize,
    pub(crate) message: usize,
}

impl Frames {
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        if self.skip > 0 {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip -= skipped as u64;
            bytes = bytes.get(skipped..).unwrap_or_default();
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Forgets everything: what came before a TLS handshake must not be obeyed after it (RFC 3501 §6.2.1).
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next line, without a look at literals: the answer to a continuation request.
    pub(crate) fn line(&mut self, bounds: Bounds) -> Option<Frame> {
        self.cut(bounds, false)
    }

    /// The next command.
    pub(crate) fn command(&mut self, bounds: Bounds) -> Option<Frame> {
        self.cut(bounds, true)
    }

    fn cut(&mut self, bounds: Bounds, literals: bool) -> Option<Frame> {
        loop {
            if !self.take_literal() {
                return None;
            }
            let rest = self.buffer.get(self.taken..).unwrap_or_default();
            let Some(end) = rest.get(self.searched..).and_then(|new| memchr(b'\n', new)).map(|at| at + self.searched)
            else {
                self.searched = rest.len();
                self.give_up_line(bounds);
                return None;
            };
            let line = rest.get(..=end).unwrap_or_default();
            let announced = if literals { literal(line) } else { None };
            self.plain += line.len();
            self.taken += line.len();
            self.searched = 0;
            if self.plain > bounds.line {
                self.spoil();
            }
            let Some(announced) = announced else { return Some(self.finish()) };
            if let Some(frame) = self.begin_literal(announced, bounds) {
                return Some(frame);
            }
        }
    }

    /// Whether the literal under way is there as a whole.
    fn take_literal(&mut self) -> bool {
        let there = self.buffer.len().saturating_sub(self.taken).min(self.literal);
        self.taken += there;
        self.literal -= there;
        if self.spoilt {
            self.spoil();
        }
        self.literal == 0 && self.skip == 0
    }

    /// A line that is too long already is not kept until its end comes.
    fn give_up_line(&mut self, bounds: Bounds) {
        if self.plain + self.searched > bounds.line {
            self.plain += self.searched;
            self.taken += self.searched;
            self.searched = 0;
            self.spoil();
        }
    }

    fn begin_literal(&mut self, announced: Literal, bounds: Bounds) -> Option<Frame> {
        let head = self.buffer.get(..self.taken).unwrap_or_default();
        let room = if is_append(head) {
            (bounds.message + bounds.line).saturating_sub(self.taken)
        } else {
            bounds.line.saturating_sub(self.taken)
        };
        let fits = !self.spoilt && announced.size <= room as u64;
        match (fits, announced.waits) {
            (true, waits) => {
                self.literal = usize::try_from(announced.size).unwrap_or(0);
                waits.then_some(Frame::Continue)
            }
            // The client waits: it is told no and does not send the literal (RFC 7888).
            (false, true) => {
                self.spoilt = true;
                Some(self.finish())
            }
            (false, false) => {
                self.spoil();
                let there = (self.buffer.len() - self.taken) as u64;
                let at_once = there.min(announced.size);
                self.buffer.drain(self.taken..self.taken + usize::try_from(at_once).unwrap_or(0));
                self.skip = announced.size - at_once;
                None
            }
        }
    }

    /// The command under way cannot be used: only its first octets are kept, for the tag.
    fn spoil(&mut self) {
        self.spoilt = true;
        if self.taken > KEPT {
            self.buffer.drain(KEPT..self.taken);
            self.taken = KEPT;
        }
    }

    fn finish(&mut self) -> Frame {
        let rest = self.buffer.split_off(self.taken);
        let mut command = std::mem::replace(&mut self.buffer, rest);
        let spoilt = self.spoilt;
        (self.taken, self.searched, self.plain, self.spoilt) = (0, 0, 0, false);
        if spoilt {
            return Frame::TooLong(command);
        }
        command.pop();
        if command.last() == Some(&b'\r') {
            command.pop();
        }
        Frame::Command(command)
    }
}

/// A literal, as the end of a line announces it.
struct Literal {
    size: u64,
    /// Not `{n+}`: leave is asked for.
    waits: bool,
}

/// `literal = "{" number ["+"] "}" CRLF *CHAR8`
fn literal(line: &[u8]) -> Option<Literal> {
    let line = line.strip_suffix(b"\n")?;
    let inner = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let digits = inner.get(inner.iter().rposition(|b| *b == b'{')? + 1..)?;
    let (digits, waits) = digits.strip_suffix(b"+").map_or((digits, true), |digits| (digits, false));
    let sound = !digits.is_empty() && digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit);
    let size = std::str::from_utf8(digits).ok().filter(|_| sound)?.parse().ok()?;
    Some(Literal { size, waits })
}

/// Whether a command is APPEND: its second word says so.
fn is_append(head: &[u8]) -> bool {
    head.split(|b| *b == b' ').nth(1).is_some_and(|word| word.eq_ignore_ascii_case(b"APPEND"))
}

/// Octets kept of a command that is too long.
const KEPT: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { line: 200, message: 1000 };

    /// All frames of an input that comes in pieces of `size` octets.
    fn frames(input: &[u8], size: usize) -> Vec<Frame> {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for piece in input.chunks(size) {
            frames.push(piece);
            while let Some(frame) = frames.command(BOUNDS) {
                found.push(frame);
            }
        }
        found
    }

    fn check(input: &str, expected: &[Frame]) {
        for size in [1, 2, 3, 7, 5000] {
            assert_eq!(frames(input.as_bytes(), size), expected, "{input:?} in pieces of {size}");
        }
    }

    fn command(text: &str) -> Frame {
        Frame::Command(text.into())
    }

    #[test]
    fn commands_are_cut() {
        check("a NOOP\r\nb NOOP\nc", &[command("a NOOP"), command("b NOOP")]);
        check("a LOGIN {3}\r\nada {2+}\r\n\r\n\r\n", &[Frame::Continue, command("a LOGIN {3}\r\nada {2+}\r\n\r\n")]);
        check("a X {3}x\r\n", &[command("a X {3}x")]);
        check("a X {0}\r\n\r\n", &[Frame::Continue, command("a X {0}\r\n")]);
    }

    #[test]
    fn what_is_too_long_is_consumed() {
        let long = "x".repeat(300);
        let kept = |text: &str| Frame::TooLong(text.as_bytes()[..128].to_vec());
        check(&format!("a {long}\r\nb\r\n"), &[kept(&format!("a {long}")), command("b")]);
        check(
            &format!("a X {{300+}}\r\n{long}\r\nb\r\n"),
            &[Frame::TooLong(b"a X {300+}\r\n\r\n".into()), command("b")],
        );
        check("a X {300}\r\nb\r\n", &[Frame::TooLong(b"a X {300}\r\n".into()), command("b")]);
        let append = format!("a append x {{300+}}\r\n{long}");
        check(&format!("{append}\r\nb\r\n"), &[command(&append), command("b")]);
        check("a append x {2000}\r\nb\r\n", &[Frame::TooLong(b"a append x {2000}\r\n".into()), command("b")]);
        check("a X {999999999999999999}\r\n", &[Frame::TooLong(b"a X {999999999999999999}\r\n".into())]);
    }
}
