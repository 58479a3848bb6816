//! The header of a stored message, field by field, without copying (RFC 5322 §2.2). Line ends are LF. A message need
//! not be well formed: a line that is no field is given as a field without a name. Start at [`fields`].

use memchr::memchr;

/// A field, or a line of the header that is no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The whole field, folded lines and last LF included.
    pub raw: &'a [u8],
    /// The text before the colon, without blanks at its end; empty for a line that is no field.
    pub name: &'a [u8],
    /// The text behind the colon, as written, without the last LF.
    pub body: &'a [u8],
}

impl Field<'_> {
    /// Whether the field has this name, in any case of letters.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The body as one line: folding undone, blanks at its ends dropped, octets that are no UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        let unfolded: Vec<u8> = self.body.iter().copied().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
        String::from_utf8_lossy(&unfolded).trim().to_owned()
    }
}

/// The fields of a message up to its empty line or its end.
pub fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = header(message);
    std::iter::from_fn(move || {
        let mut end = line(rest).len();
        while rest.get(end).is_some_and(|b| matches!(b, b' ' | b'\t')) {
            end += rest.get(end..).map(|more| line(more).len()).unwrap_or_default();
        }
        let (raw, after) = rest.split_at_checked(end).filter(|(raw, _)| !raw.is_empty())?;
        rest = after;
        Some(field(raw))
    })
}

/// The header of a message: everything before its first empty line.
#[must_use]
pub fn header(message: &[u8]) -> &[u8] {
    let mut end = 0;
    loop {
        let rest = message.get(end..).unwrap_or_default();
        if rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
            return message.get(..end).unwrap_or_default();
        }
        end += line(rest).len();
    }
}

/// The number of `Received` and `Delivered-To` fields: qmail's count of hops.
#[must_use]
pub fn hops(message: &[u8]) -> usize {
    fields(message).filter(|field| field.is("Received") || field.is("Delivered-To")).count()
}

/// Whether a `Delivered-To` line has exactly this text, case included; if so, the message is looping.
#[must_use]
pub fn is_delivered_to(message: &[u8], address: &str) -> bool {
    fields(message).filter(|field| field.is("Delivered-To")).any(|field| field.body.trim_ascii() == address.as_bytes())
}

fn line(rest: &[u8]) -> &[u8] {
    memchr(b'\n', rest).and_then(|at| rest.get(..=at)).unwrap_or(rest)
}

/// `field = field-name ":" unstructured CRLF`; blanks before the colon are obsolete and accepted (§4.5).
fn field(raw: &[u8]) -> Field<'_> {
    let text = raw.strip_suffix(b"\n").unwrap_or(raw);
    let colon = memchr(b':', text).filter(|at| {
        let name = text.get(..*at).unwrap_or_default().trim_ascii_end();
        !name.is_empty() && name.iter().all(|b| (b'!'..=b'~').contains(b))
    });
    let (name, body) = colon.map_or((&[][..], text), |at| {
        let (name, body) = text.split_at_checked(at).unwrap_or_default();
        (name.trim_ascii_end(), body.get(1..).unwrap_or_default())
    });
    Field { raw, name, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected: &[(&str, &str)]) {
        let found: Vec<(String, String)> =
            fields(message.as_bytes()).map(|f| (String::from_utf8_lossy(f.name).into_owned(), f.text())).collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, expected, "{message:?}");
        let raw: Vec<u8> = fields(message.as_bytes()).flat_map(|f| f.raw.to_vec()).collect();
        assert_eq!(raw, header(message.as_bytes()), "{message:?}");
    }

    #[test]
    fn headers_are_cut_into_fields() {
        check("Subject: a\n b\n\tc\nTo: d\n\nNo: field\n", &[("Subject", "a b\tc"), ("To", "d")]);
        check("Subject : a\n\n", &[("Subject", "a")]);
        check("\nbody\n", &[]);
        check("", &[]);
        check("To: d", &[("To", "d")]);
        check("not a field\nTo: d\n", &[("", "not a field"), ("To", "d")]);
        check(" folded at once\nTo: d\n", &[("", "folded at once"), ("To", "d")]);
        check("To: d\r\n\r\nbody", &[("To", "d")]);
        check(": x\n", &[("", ": x")]);
    }

    #[test]
    fn loops_are_found() {
        let message = b"Received: a\nDelivered-To: Ada@example.org\nreceived: b\n\nDelivered-To: grace@example.org\n";
        assert_eq!(hops(message), 3);
        assert!(is_delivered_to(message, "Ada@example.org"));
        assert!(!is_delivered_to(message, "ada@example.org"));
        assert!(!is_delivered_to(message, "grace@example.org"));
    }
}
