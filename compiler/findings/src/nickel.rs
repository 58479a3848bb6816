//! As much of Nickel's lexing as is needed to tell comments and strings from everything else; JSON's strings are the
//! same.

/// The kind of piece that begins at a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A comment, from `#` to the end of its line.
    Comment,
    /// A string `"…"` or `m%"…"%`, from its first quote or sign to its last.
    Text,
}

/// The comment or string that begins at `at`, and the byte after it.
#[must_use]
pub fn piece(bytes: &[u8], at: usize) -> Option<(Piece, usize)> {
    match bytes.get(at)? {
        b'#' => Some((Piece::Comment, line_end(bytes, at))),
        b'"' => Some((Piece::Text, string_end(bytes, at))),
        b'%' => multiline_end(bytes, at).map(|end| (Piece::Text, end)),
        _ => None,
    }
}

/// The byte ranges of all comments of a text, without their line ends.
#[must_use]
pub fn comments(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let Some((kind, end)) = piece(text.as_bytes(), at) else {
            at += 1;
            continue;
        };
        if kind == Piece::Comment {
            found.push((at, end));
        }
        at = end.max(at + 1);
    }
    found
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| from + length)
}

/// The byte after the closing quote of the string that begins at `from`.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The byte after a string in the form `m%"…"%`, whose signs stand from `from`; `None` when none begins here.
fn multiline_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let signs = rest.iter().take_while(|byte| **byte == b'%').count();
    if rest.get(signs) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(signs + 1, b'%');
    let body = rest.get(signs + 1..)?;
    let length = body.windows(close.len()).position(|window| window == close)?;
    Some(from + signs + 1 + length + close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = comments(text).into_iter().map(|(start, end)| &text[start..end]).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn comments_are_told_from_strings() {
        check("a # one\nb\n# two", &["# one", "# two"]);
        check("\"# no \\\" # no\" # yes", &["# yes"]);
        check("m%\"# no\n\"# no\"% # yes", &["# yes"]);
        check("m%%\"# \"% no\"%% # yes\n", &["# yes"]);
        check("5 % 2 # yes", &["# yes"]);
        check("\"open # no", &[]);
        check("\u{e9} # \u{e9}", &["# \u{e9}"]);
    }
}
