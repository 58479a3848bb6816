//! From stored lines to the wire: every line ends with CRLF, a leading dot is doubled (RFC 5321 §4.5.2), a stray
//! CR becomes a space (§2.3.8: CR and LF only occur together; a receiver that thinks otherwise could be made to
//! see two messages).

/// Turns pieces of stored content into pieces for the wire.
#[derive(Debug)]
pub(crate) struct Encoder {
    line_start: bool,
    carriage_return: bool,
}

impl Encoder {
    /// At the beginning of a message.
    pub(crate) const fn new() -> Self {
        Self { line_start: true, carriage_return: false }
    }

    /// Appends the wire form of `input` to `wire`.
    pub(crate) fn push(&mut self, input: &[u8], wire: &mut Vec<u8>) {
        for part in input.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match part {
                [text @ .., end @ (b'\n' | b'\r')] => (text, Some(*end)),
                text => (text, None),
            };
            self.text(text, wire);
            match end {
                Some(b'\n') => self.end_line(wire),
                Some(_) => {
                    self.stray(wire);
                    self.carriage_return = true;
                }
                None => {}
            }
        }
    }

    /// Ends the last line and the message.
    pub(crate) fn finish(&mut self, wire: &mut Vec<u8>) {
        if self.carriage_return || !self.line_start {
            self.end_line(wire);
        }
        wire.extend_from_slice(b".\r\n");
    }

    fn text(&mut self, text: &[u8], wire: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        self.stray(wire);
        if self.line_start && text.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(text);
        self.line_start = false;
    }

    fn stray(&mut self, wire: &mut Vec<u8>) {
        if self.carriage_return {
            wire.push(b' ');
            self.carriage_return = false;
            self.line_start = false;
        }
    }

    fn end_line(&mut self, wire: &mut Vec<u8>) {
        wire.extend_from_slice(b"\r\n");
        self.line_start = true;
        self.carriage_return = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &[u8], expected: &[u8]) {
        for cut in 0..=stored.len() {
            let (mut encoder, mut wire) = (Encoder::new(), Vec::new());
            encoder.push(&stored[..cut], &mut wire);
            encoder.push(&stored[cut..], &mut wire);
            encoder.finish(&mut wire);
            assert_eq!(wire, expected, "{:?} cut at {cut}", String::from_utf8_lossy(stored));
        }
    }

    #[test]
    fn lines_become_wire_lines() {
        check(b"", b".\r\n");
        check(b"a\n", b"a\r\n.\r\n");
        check(b"a", b"a\r\n.\r\n");
        check(b"a\n\n", b"a\r\n\r\n.\r\n");
        check(b".\n..\na.\n", b"..\r\n...\r\na.\r\n.\r\n");
        check(b"a\r\nb\r\n", b"a\r\nb\r\n.\r\n");
        check(b"a\r.\r\nb\r", b"a .\r\nb\r\n.\r\n");
        check(b"\r\r\n", b" \r\n.\r\n");
        check(b"a\n\r.\nb\n", b"a\r\n .\r\nb\r\n.\r\n");
    }
}
