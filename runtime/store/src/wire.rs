//! Line ends: LF in files, CRLF on the wire. A CR that stands before an LF in a file is left alone, so that the size on
//! the wire is the size of the file and the number of its LFs without a CR.

/// Counts the size on the wire of content that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WireSize {
    total: u64,
    after_cr: bool,
}

impl WireSize {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let mut before = self.after_cr;
        for &byte in bytes {
            self.total += if byte == b'\n' && !before { 2 } else { 1 };
            before = byte == b'\r';
        }
        self.after_cr = before;
    }

    pub(crate) const fn total(self) -> u64 {
        self.total
    }
}

/// The content with CRLF line ends.
pub(crate) fn to_wire(content: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(content.len() + content.len() / 32 + 2);
    for line in content.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) if !text.ends_with(b"\r") => {
                wire.extend_from_slice(text);
                wire.extend_from_slice(b"\r\n");
            }
            _ => wire.extend_from_slice(line),
        }
    }
    wire
}

/// The content with LF line ends.
pub(crate) fn from_wire(wire: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(wire.len());
    for line in wire.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                content.extend_from_slice(text);
                content.push(b'\n');
            }
            None => content.extend_from_slice(line),
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_the_wire() {
        for (content, wire) in [
            ("a\nb\n", "a\r\nb\r\n"),
            ("a\r\nb", "a\r\nb"),
            ("", ""),
            ("\n\n\r\n", "\r\n\r\n\r\n"),
            ("a\rb\r", "a\rb\r"),
            ("\r\r\n", "\r\r\n"),
        ] {
            assert_eq!(to_wire(content.as_bytes()), wire.as_bytes(), "{content:?}");
            for cut in 0..=content.len() {
                let (one, other) = content.as_bytes().split_at(cut);
                let mut size = WireSize::default();
                size.add(one);
                size.add(other);
                assert_eq!(size.total(), wire.len() as u64, "{content:?} cut at {cut}");
            }
        }
        assert_eq!(from_wire(b"a\r\n\nb\r"), b"a\n\nb\r");
    }
}
