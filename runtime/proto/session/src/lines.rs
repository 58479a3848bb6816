//! Lines on the wire, below the grammar of the line protocols: bounded, and ended by CRLF alone (RFC 5321 §2.3.8, RFC
//! 1939 §3). Knows no command. Start at [`Framer::line`].

use memchr::{memchr, memrchr};

/// Input that waits to be cut into lines, or to be taken as octets. Holds at most [`Framer::HARD_LIMIT`] octets of an
/// unfinished line, and those of one `push`.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    start: usize,
    /// Octets after `start` that hold no LF, so that no octet is searched twice.
    searched: usize,
}

/// The next thing in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A line without its CRLF.
    Line(Vec<u8>),
    /// A line that must not be used; its octets are consumed.
    Broken(Fault),
}

/// The fault of a line that must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The line ended with LF alone.
    BareLf,
    /// The line has a CR that is not part of its CRLF.
    BareCr,
    /// The line is over the limit that the protocol set.
    TooLong,
    /// The line went past [`Framer::HARD_LIMIT`] without an end: this peer is not worth listening to.
    Endless,
}

impl Framer {
    /// Octets, CRLF included, after which a line counts as endless.
    pub const HARD_LIMIT: usize = 65_536;

    /// Adds octets to the input.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start >= self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes the next line of at most `limit` octets, CRLF included. `None`: more input is needed. The outcome does not
    /// depend on the pieces the input came in.
    pub fn line(&mut self, limit: usize) -> Option<Frame> {
        let rest = self.rest();
        let Some(end) = rest.get(self.searched..).and_then(|new| memchr(b'\n', new)).map(|at| at + self.searched)
        else {
            let held = rest.len();
            self.searched = held;
            if held < Self::HARD_LIMIT {
                return None;
            }
            self.clear();
            return Some(Frame::Broken(Fault::Endless));
        };
        let frame = judge(rest.get(..=end).unwrap_or_default(), limit);
        self.consume(end + 1);
        Some(frame)
    }

    /// The input that was not taken yet.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Takes `count` octets from the head of the input.
    pub fn consume(&mut self, count: usize) {
        self.start = self.buffer.len().min(self.start.saturating_add(count));
        self.searched = 0;
    }

    /// Forgets all input, as after STARTTLS (RFC 3207 §4.2).
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.start = 0;
        self.searched = 0;
    }
}

/// Judges a line, which ends with LF.
fn judge(line: &[u8], limit: usize) -> Frame {
    if line.len() > Framer::HARD_LIMIT {
        return Frame::Broken(Fault::Endless);
    }
    if line.len() > limit {
        return Frame::Broken(Fault::TooLong);
    }
    match line.strip_suffix(b"\r\n") {
        None => Frame::Broken(Fault::BareLf),
        Some(text) if memrchr(b'\r', text).is_some() => Frame::Broken(Fault::BareCr),
        Some(text) => Frame::Line(text.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(pieces: &[&[u8]], limit: usize) -> Vec<Frame> {
        let mut framer = Framer::default();
        let mut frames = Vec::new();
        for piece in pieces {
            framer.push(piece);
            while let Some(frame) = framer.line(limit) {
                frames.push(frame);
            }
        }
        frames
    }

    fn check(input: &[u8], limit: usize, expected: &[Frame]) {
        assert_eq!(frames(&[input], limit), expected, "whole {input:?}");
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(frames(&bytes, limit), expected, "one octet at a time {input:?}");
    }

    #[test]
    fn lines_end_with_crlf_alone() {
        let line = |text: &str| Frame::Line(text.as_bytes().to_vec());
        check(b"NOOP\r\nQUIT\r\n", 512, &[line("NOOP"), line("QUIT")]);
        check(b"NOOP\nQUIT\r\n", 512, &[Frame::Broken(Fault::BareLf), line("QUIT")]);
        check(b"NO\rOP\r\nQUIT\r\n", 512, &[Frame::Broken(Fault::BareCr), line("QUIT")]);
        check(b"NOOP\r\r\n", 512, &[Frame::Broken(Fault::BareCr)]);
        check(b"\r\n", 512, &[line("")]);
        check(b"NOOP", 512, &[]);
        check(b"12345678\r\n123456789\r\nx\r\n", 10, &[line("12345678"), Frame::Broken(Fault::TooLong), line("x")]);
    }

    #[test]
    fn an_endless_line_is_given_up() {
        let mut long = vec![b'x'; Framer::HARD_LIMIT];
        check(&long, 512, &[Frame::Broken(Fault::Endless)]);
        long.truncate(Framer::HARD_LIMIT - 2);
        long.extend_from_slice(b"\r\n");
        check(&long, 512, &[Frame::Broken(Fault::TooLong)]);
    }
}
