//! A message on its way out (RFC 1939 §3, §5 RETR, §7 TOP): LF to CRLF, dots stuffed, cut after so many lines.

use memchr::memchr;
use postkiln_session::Action;

use crate::context::{Context, one_line};
use crate::state::{Asking, State};
use crate::transaction::Transaction;
use crate::{Answer, Question};

/// The progress of one message.
#[derive(Debug)]
pub struct Sending {
    /// `+OK` is said.
    begun: bool,
    /// Octets of the line so far, without its line end.
    line: usize,
    last: u8,
    in_header: bool,
    /// Lines of the body still to be sent; `None`: all.
    body_lines: Option<u64>,
}

impl Sending {
    pub(crate) const fn new(body_lines: Option<u64>) -> Self {
        Self { begun: false, line: 0, last: b'\n', in_header: true, body_lines }
    }

    /// The answer to `Retrieve` or `More`.
    pub(crate) fn answered(mut self, transaction: Transaction, context: &mut Context, answer: Answer) -> State {
        match answer {
            Answer::Piece(piece) => {
                self.begin(context);
                let mut out = Vec::with_capacity(piece.len() + piece.len() / 32);
                let enough = self.convert(&piece, &mut out);
                context.send(&out);
                if !enough {
                    context.ask(Question::More);
                    return State::Asking(Asking::Content(transaction, self));
                }
                context.say(".");
            }
            Answer::End => {
                self.begin(context);
                context.send(if self.line > 0 { b"\r\n.\r\n" } else { b".\r\n" });
            }
            // In the middle of a message nothing can be said but by closing: the client must not take it as whole.
            _ if self.begun => {
                context.actions.push(Action::Close);
                return State::Closed;
            }
            Answer::Refused(_, text) => context.say(&format!("-ERR [SYS/TEMP] {}", one_line(&text))),
            _ => context.say("-ERR [SYS/TEMP] internal trouble"),
        }
        State::Transaction(transaction)
    }

    fn begin(&mut self, context: &mut Context) {
        if !self.begun {
            self.begun = true;
            context.say("+OK");
        }
    }

    /// Adds a piece in wire form to `out`; true when no more is wanted.
    fn convert(&mut self, piece: &[u8], out: &mut Vec<u8>) -> bool {
        let mut rest = piece;
        while !rest.is_empty() && !self.is_enough() {
            let (text, ends) =
                memchr(b'\n', rest).and_then(|at| rest.split_at_checked(at)).map_or((rest, false), |(t, _)| (t, true));
            if self.line == 0 && text.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(text);
            self.line += text.len();
            self.last = text.last().copied().unwrap_or(self.last);
            rest = rest.get(text.len() + usize::from(ends)..).unwrap_or_default();
            if ends {
                self.end_line(out);
            }
        }
        self.is_enough()
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        // A file that has CRLF already, put there by somebody else, is not given a second CR.
        let has_cr = self.line > 0 && self.last == b'\r';
        out.extend_from_slice(if has_cr { b"\n" } else { b"\r\n" });
        if self.in_header {
            self.in_header = self.line > usize::from(has_cr);
        } else if let Some(lines) = &mut self.body_lines {
            *lines = lines.saturating_sub(1);
        }
        self.line = 0;
    }

    fn is_enough(&self) -> bool {
        !self.in_header && self.body_lines == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &str, body_lines: Option<u64>, wire: &str) {
        for size in [1, 2, 3, stored.len().max(1)] {
            let (mut sending, mut out) = (Sending::new(body_lines), Vec::new());
            for piece in stored.as_bytes().chunks(size) {
                if sending.convert(piece, &mut out) {
                    break;
                }
            }
            assert_eq!(String::from_utf8_lossy(&out), wire, "{stored:?} in pieces of {size}");
        }
    }

    #[test]
    fn content_takes_its_wire_form() {
        check("", None, "");
        check("A: b\n\nx\n", None, "A: b\r\n\r\nx\r\n");
        check("A: b\n\n.\n..\n.x.\n", None, "A: b\r\n\r\n..\r\n...\r\n..x.\r\n");
        check("A: b\n\nx", None, "A: b\r\n\r\nx");
        check("A: b\r\n\r\nx\r\n", None, "A: b\r\n\r\nx\r\n");
        check("\n\n", None, "\r\n\r\n");
        check("a\rb\n", None, "a\rb\r\n");
    }

    #[test]
    fn top_cuts_the_body() {
        check("A: b\n\nx\ny\n", Some(0), "A: b\r\n\r\n");
        check("A: b\n\nx\ny\n", Some(1), "A: b\r\n\r\nx\r\n");
        check("A: b\n\nx\ny\n", Some(9), "A: b\r\n\r\nx\r\ny\r\n");
        check("A: b\r\n\r\nx\r\ny\r\n", Some(1), "A: b\r\n\r\nx\r\n");
        check("A: b\n", Some(0), "A: b\r\n");
    }
}
