//! Header fields of a message on the wire: names, values, and the parameters of MIME fields (RFC 2045 §5.1). Bytes in,
//! slices out; nothing is decoded.

use std::ops::Range;

/// One field with its continuation lines and its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Where the header ends, after its blank line, given the whole.
pub(crate) fn header_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
    }
    at
}

/// All fields of a header. Lines that are no field belong to none.
pub(crate) fn fields(header: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = header;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (whole, after) = rest.split_at_checked(field_length(rest))?;
            rest = after;
            if let Some(field) = field(whole) {
                return Some(field);
            }
        }
        None
    })
}

/// Octets of the first line and its continuations.
fn field_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if at > 0 && !matches!(line.first(), Some(b' ' | b'\t')) {
            break;
        }
        at += line.len();
    }
    at
}

fn field(whole: &[u8]) -> Option<Field<'_>> {
    let colon = whole.iter().position(|b| *b == b':')?;
    let name = whole.get(..colon)?.trim_ascii_end();
    let named = !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic());
    named.then_some(Field { name, value: whole.get(colon + 1..)?, whole })
}

/// The value of the first field of this name, unfolded and trimmed.
pub(crate) fn value(header: &[u8], name: &str) -> Option<Vec<u8>> {
    fields(header).find(|field| field.name.eq_ignore_ascii_case(name.as_bytes())).map(|field| unfolded(field.value))
}

/// Without line ends, trimmed (RFC 5322 §2.2.3).
pub(crate) fn unfolded(value: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    text.trim_ascii().to_vec()
}

/// Names and values.
pub(crate) type ParameterList = Vec<(String, Vec<u8>)>;

/// A MIME field's value with its parameters: `text/plain; charset=utf-8`, `attachment; filename="a b"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// The text before the first semicolon, without comments.
    pub(crate) value: String,
    /// Names in lower case, values as written without their quotes.
    pub(crate) list: ParameterList,
}

impl Parameters {
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut pieces = split(text);
        let value = String::from_utf8_lossy(pieces.next().unwrap_or_default().as_slice()).trim().to_owned();
        let list = pieces.take(100).filter_map(|piece| {
            let equals = piece.iter().position(|b| *b == b'=')?;
            let name = String::from_utf8_lossy(piece.get(..equals)?.trim_ascii()).to_ascii_lowercase();
            (!name.is_empty()).then(|| (name, unquoted(piece.get(equals + 1..).unwrap_or_default().trim_ascii())))
        });
        Self { value, list: list.collect() }
    }
}

/// Pieces between semicolons, quoted ones left as they are, comments left out.
fn split(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    let (mut quoted, mut comment, mut escaped) = (false, 0_u32, false);
    for &octet in text {
        let was_escaped = std::mem::replace(&mut escaped, false);
        match octet {
            _ if was_escaped => {}
            b'\\' if quoted || comment > 0 => escaped = true,
            b'"' if comment == 0 => quoted = !quoted,
            b'(' if !quoted => comment = comment.saturating_add(1),
            b')' if !quoted && comment > 0 => {
                comment -= 1;
                continue;
            }
            b';' if !quoted && comment == 0 => {
                pieces.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(piece) = pieces.last_mut().filter(|_| comment == 0) {
            piece.push(octet);
        }
    }
    pieces.into_iter()
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        // A value that should have been quoted ends at a space.
        return value.to_vec();
    };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let mut plain = Vec::with_capacity(inner.len());
    let mut octets = inner.iter();
    while let Some(&octet) = octets.next() {
        plain.push(if octet == b'\\' { octets.next().copied().unwrap_or(octet) } else { octet });
    }
    plain
}

/// Octets of `bytes` that a range names; none when it is out of it.
pub(crate) fn slice<'a>(bytes: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    bytes.get(range.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let header = b"From: a\r\nSubject: b\r\n c\r\nno field\r\nX : d\r\n\r\n";
        let found: Vec<_> = fields(header).map(|field| (field.name, unfolded(field.value))).collect();
        let expected: Vec<(&[u8], Vec<u8>)> =
            vec![(b"From", b"a".into()), (b"Subject", b"b c".into()), (b"X", b"d".into())];
        assert_eq!(found, expected);
        assert_eq!(header_length(b"a: b\r\n\r\nbody"), 8);
        assert_eq!(header_length(b"a: b"), 4);
        assert_eq!(value(header, "subject"), Some(b"b c".into()));
    }

    #[test]
    fn parameters_are_split() {
        let parsed = Parameters::parse(b" text/plain (a; comment); Charset=\"us;\\\"x\" ; format = flowed;;x");
        assert_eq!(parsed.value, "text/plain");
        assert_eq!(
            parsed.list,
            [("charset".to_owned(), b"us;\"x".to_vec()), ("format".to_owned(), b"flowed".to_vec())]
        );
    }
}
