//! Strings as responses carry them (RFC 3501 §4.3).

/// `string`: quoted where that is allowed, else a literal.
pub(crate) fn push_string(out: &mut Vec<u8>, value: &[u8]) {
    let plain = value.len() < 1000 && value.iter().all(|b| (b' '..=b'~').contains(b));
    if !plain {
        return push_literal(out, value);
    }
    out.push(b'"');
    for &octet in value {
        if matches!(octet, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(octet);
    }
    out.push(b'"');
}

/// `nstring = string / nil`
pub(crate) fn push_nstring(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => push_string(out, value),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// `literal = "{" number "}" CRLF *CHAR8`; a NUL, which no literal may hold, becomes 0x80 as other servers do.
pub(crate) fn push_literal(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(format!("{{{}}}\r\n", value.len()).as_bytes());
    let from = out.len();
    out.extend_from_slice(value);
    if memchr::memchr(0, value).is_some() {
        out.iter_mut().skip(from).filter(|octet| **octet == 0).for_each(|octet| *octet = 0x80);
    }
}

/// A folder's name: an atom where it is one.
pub(crate) fn mailbox(name: &str) -> String {
    if !name.is_empty() && name.bytes().all(crate::cursor::is_astring_char) && !name.eq_ignore_ascii_case("NIL") {
        return name.to_owned();
    }
    let mut quoted = Vec::new();
    push_string(&mut quoted, name.as_bytes());
    String::from_utf8_lossy(&quoted).into_owned()
}
