//! The octets after DATA (RFC 5321 §4.1.1.4, §4.5.2): dots unstuffed, line ends turned to LF, limits kept,
//! the end found.
//!
//! Only CRLF.CRLF ends a message. A CR or LF that is not part of a CRLF breaks the whole message (§2.3.8
//! forbids sending one): servers that disagree on what ends a line can be made to disagree on where a message
//! ends (SMTP smuggling).

use memchr::memchr2;

use crate::Limits;

/// The reader of one message's content.
#[derive(Debug)]
pub(crate) struct Decoder {
    at: At,
    databytes: u64,
    content_line: usize,
    max_hops: usize,
    /// Octets of content so far, as stored, counted even when they are no longer given out.
    size: u64,
    /// Octets of the line so far, without its line end.
    line: usize,
    /// The first octets of a line while in the header: as many as the longest counted field name has.
    head: Vec<u8>,
    in_header: bool,
    hops: usize,
    refusal: Option<Refusal>,
}

/// Where in the stream the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    Line,
    /// After a CR.
    Cr,
    /// After a dot at the beginning of a line.
    Dot,
    /// The state after CRLF.CR.
    DotCr,
}

/// The outcome of one call of [`Decoder::decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All input is taken, and more is needed.
    More,
    /// The message ended; so many octets of the input are taken.
    End(usize),
    /// A bare CR or LF.
    Broken,
    /// A message over `databytes` went on for as long again: nobody has to listen to that.
    Endless,
}

/// Why a message cannot be taken though its end may be awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Over `databytes`.
    TooBig,
    /// Over `content_line`.
    LongLine,
    /// `max_hops` reached.
    Looping,
}

/// Grace past `databytes` for finding the end of a message that is too big.
const GRACE: u64 = 1 << 20;

const HOP_FIELDS: [&[u8]; 2] = [b"received:", b"delivered-to:"];
const HEAD: usize = 13;

impl Decoder {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            at: At::LineStart,
            databytes: limits.databytes.unwrap_or(u64::MAX),
            content_line: limits.content_line,
            max_hops: limits.max_hops,
            size: 0,
            line: 0,
            head: Vec::with_capacity(HEAD),
            in_header: true,
            hops: 0,
            refusal: None,
        }
    }

    /// Why the message cannot be taken; nothing is given out any more once this is set.
    pub(crate) const fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Reads `input`, adding content to `out`.
    pub(crate) fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Progress {
        let mut taken = 0;
        while let Some((&octet, after)) = input.get(taken..).and_then(<[u8]>::split_first) {
            taken += 1;
            self.at = match (self.at, octet) {
                (At::LineStart, b'.') => At::Dot,
                (At::Dot, b'\r') => At::DotCr,
                (At::DotCr, b'\n') => return Progress::End(taken),
                (At::LineStart | At::Line, b'\r') => At::Cr,
                (At::Cr, b'\n') => {
                    self.end_line(out);
                    At::LineStart
                }
                (_, b'\n') | (At::Cr | At::DotCr, _) => return Progress::Broken,
                (At::LineStart | At::Dot | At::Line, _) => {
                    let more = memchr2(b'\r', b'\n', after).unwrap_or(after.len());
                    self.text(input.get(taken - 1..taken + more).unwrap_or_default(), out);
                    taken += more;
                    At::Line
                }
            };
            if self.size > self.databytes.saturating_mul(2).saturating_add(GRACE) {
                return Progress::Endless;
            }
        }
        Progress::More
    }

    /// Octets within a line.
    fn text(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if self.in_header && self.head.len() < HEAD {
            self.head.extend(text.iter().take(HEAD - self.head.len()));
        }
        let room = self.content_line.saturating_sub(self.line);
        self.line = self.line.saturating_add(text.len());
        let (fitting, excess) = text.split_at_checked(room).unwrap_or((text, &[]));
        self.give(fitting, out);
        if !excess.is_empty() {
            self.refusal.get_or_insert(Refusal::LongLine);
            self.give(excess, out);
        }
    }

    /// Takes in a CRLF.
    fn end_line(&mut self, out: &mut Vec<u8>) {
        self.give(b"\n", out);
        if self.in_header {
            self.in_header = self.line > 0;
            let counts =
                HOP_FIELDS.iter().any(|name| self.head.get(..name.len()).is_some_and(|h| h.eq_ignore_ascii_case(name)));
            self.hops += usize::from(counts);
            if self.hops >= self.max_hops && self.refusal.is_none() {
                self.refusal = Some(Refusal::Looping);
            }
        }
        self.head.clear();
        self.line = 0;
    }

    /// Content, up to the exact octet at which it becomes too big.
    fn give(&mut self, content: &[u8], out: &mut Vec<u8>) {
        let room = usize::try_from(self.databytes.saturating_sub(self.size)).unwrap_or(usize::MAX);
        self.size = self.size.saturating_add(content.len() as u64);
        if self.refusal.is_some() {
            return;
        }
        match content.get(..room) {
            Some(fitting) if fitting.len() < content.len() => {
                out.extend_from_slice(fitting);
                self.refusal = Some(Refusal::TooBig);
            }
            _ => out.extend_from_slice(content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { databytes: Some(100), max_hops: 3, content_line: 40, ..Limits::default() }
    }

    fn run(pieces: &[&[u8]]) -> (Vec<u8>, Progress, Option<Refusal>, usize) {
        let mut decoder = Decoder::new(&limits());
        let (mut out, mut taken) = (Vec::new(), 0);
        for piece in pieces {
            match decoder.decode(piece, &mut out) {
                Progress::More => taken += piece.len(),
                Progress::End(count) => return (out, Progress::End(taken + count), decoder.refusal(), taken + count),
                other => return (out, other, decoder.refusal(), taken),
            }
        }
        (out, Progress::More, decoder.refusal(), taken)
    }

    fn check(input: &[u8], content: &[u8], progress: Progress, refusal: Option<Refusal>) {
        let whole = run(&[input]);
        assert_eq!((&*whole.0, whole.1, whole.2), (content, progress, refusal), "{:?}", String::from_utf8_lossy(input));
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        let single = run(&bytes);
        assert_eq!((whole.0, whole.1, whole.2), (single.0, single.1, single.2), "one octet at a time {input:?}");
    }

    #[test]
    fn only_crlf_dot_crlf_ends_a_message() {
        check(b".\r\nQUIT", b"", Progress::End(3), None);
        check(b"a\r\n.\r\n", b"a\n", Progress::End(6), None);
        check(b"\r\n\r\n.\r\n", b"\n\n", Progress::End(7), None);
        check(b"a.\r\n..\r\n.b\r\n...\r\n.\r\n", b"a.\n.\nb\n..\n", Progress::End(20), None);
        check(b"a\r\n.\r\n.\r\n", b"a\n", Progress::End(6), None);
        check(b"a\r\n.", b"a\n", Progress::More, None);
    }

    #[test]
    fn a_bare_cr_or_lf_breaks_the_message() {
        for (input, content) in [
            (&b"a\n.\nb"[..], &b"a"[..]),
            (b"a\n.\r\n", b"a"),
            (b"a\r\n.\nb", b"a\n"),
            (b"a\r.\r\n", b"a"),
            (b"a\r\n.\rb", b"a\n"),
            (b"a\r\r\n.\r\n", b"a"),
            (b"a\r\n\n.\r\n", b"a\n"),
            (b"\n", b""),
        ] {
            check(input, content, Progress::Broken, None);
        }
    }

    #[test]
    fn limits_hold_to_the_octet() {
        let line = [b'x'; 40];
        let mut long = line.to_vec();
        long.extend_from_slice(b"\r\n.\r\n");
        let mut stored = line.to_vec();
        stored.push(b'\n');
        check(&long, &stored, Progress::End(45), None);
        long.insert(0, b'y');
        check(&long, &long[..40], Progress::End(46), Some(Refusal::LongLine));

        let mut big = b"123456789\r\n".repeat(10);
        big.extend_from_slice(b".\r\n");
        check(&big, &b"123456789\n".repeat(10), Progress::End(113), None);
        big.splice(0..0, *b"\r\n");
        check(&big, &[b"\n", &b"123456789\n".repeat(10)[..99]].concat(), Progress::End(115), Some(Refusal::TooBig));
        let endless = b"123456789\r\n".repeat(110_000);
        check(&endless, &b"123456789\n".repeat(10), Progress::Endless, Some(Refusal::TooBig));
    }

    #[test]
    fn hops_are_counted_in_the_header_alone() {
        check(
            b"Received: a\r\nRECEIVED:b\r\n\r\nReceived: c\r\n.\r\n",
            b"Received: a\nRECEIVED:b\n\nReceived: c\n",
            Progress::End(43),
            None,
        );
        check(
            b"Received: a\r\nDelivered-To: b\r\nreceived:\r\nx\r\n.\r\n",
            b"Received: a\nDelivered-To: b\nreceived:\n",
            Progress::End(47),
            Some(Refusal::Looping),
        );
        check(
            b"Received : a\r\nX-Received: b\r\n Received: c\r\n\r\n.\r\n",
            b"Received : a\nX-Received: b\n Received: c\n\n",
            Progress::End(48),
            None,
        );
    }
}
