//! The site's files for people to read, without password hashes. Start at [`blanked`].

use std::ops::Range;

use crate::answer::Span;

/// A file without password hashes. Those at known places (`hidden`, as far as they are in file number `file`) go
/// however they are written; everything else in crypt form goes too.
pub(crate) fn blanked(bytes: &[u8], hidden: &[Span], file: usize) -> Vec<u8> {
    let offset = |at: u32| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let ours = hidden.iter().filter(|span| usize::try_from(span.file) == Ok(file));
    let mut ranges: Vec<Range<usize>> = ours.map(|span| offset(span.start)..offset(span.end)).collect();
    ranges.sort_by_key(|range| range.start);
    let mut kept = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for range in ranges {
        // A span within another one is gone with it.
        if range.start >= at && range.end > range.start {
            kept.extend(without_crypt(bytes.get(at..range.start).unwrap_or_default()));
            let part = bytes.get(range.clone()).unwrap_or_default();
            let quote = if part.starts_with(b"\"") { "\"" } else { "" };
            let kind = kind(part.get(quote.len()..).unwrap_or_default()).unwrap_or(0);
            kept.extend_from_slice(part.get(..quote.len() + kind).unwrap_or_default());
            kept.extend_from_slice("…".as_bytes());
            kept.extend_from_slice(quote.as_bytes());
            at = range.end;
        }
    }
    kept.extend(without_crypt(bytes.get(at..).unwrap_or_default()));
    kept
}

/// A part of a file with everything in crypt form (`$ID$…`) cut after its kind. Works on octets: a source need
/// not be UTF-8.
fn without_crypt(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| *b == b'$') {
        let (before, from) = rest.split_at(at);
        kept.extend_from_slice(before);
        let (kind, length) = crypt(from).unwrap_or((1, 1));
        kept.extend_from_slice(from.get(..kind).unwrap_or_default());
        if length > kind {
            kept.extend_from_slice("…".as_bytes());
        }
        rest = from.get(length..).unwrap_or_default();
    }
    kept.extend_from_slice(rest);
    kept
}

/// The lengths of `$ID$` and of the whole hash that begins here.
fn crypt(from: &[u8]) -> Option<(usize, usize)> {
    let kind = kind(from)?;
    let part = |b: &&u8| b.is_ascii_alphanumeric() || b"./+=,$-_".contains(b);
    let length = from.get(kind..)?.iter().take_while(part).count();
    // A shorter text is no hash.
    (length >= 20).then_some((kind, kind + length))
}

/// The length of the part `$ID$`.
fn kind(from: &[u8]) -> Option<usize> {
    from.strip_prefix(b"$")?;
    let id = from.get(1..)?.iter().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || **b == b'-').count();
    ((1..=16).contains(&id) && from.get(id + 1) == Some(&b'$')).then_some(id + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(String::from_utf8(blanked(text.as_bytes(), &[], 0)).unwrap(), expected);
    }

    /// In `text`, the brackets `[` and `]` mark a part whose place is known.
    fn check_placed(text: &str, expected: &str) {
        let (start, end) = (text.find('[').unwrap(), text.find(']').unwrap() - 1);
        let number = |at: usize| u32::try_from(at).unwrap();
        let span = Span { file: 3, start: number(start), end: number(end) };
        let text = text.replace(['[', ']'], "");
        assert_eq!(String::from_utf8(blanked(text.as_bytes(), &[span, span], 3)).unwrap(), expected);
    }

    #[test]
    fn what_is_placed_is_blanked_however_it_is_written() {
        check_placed("a,[$6$salt$abc/def],b", "a,$6$…,b");
        check_placed(r#"{"password_hash": ["\u00246$salt$abc\/def"]}"#, r#"{"password_hash": "…"}"#);
        check_placed(r#"hash = ["$6$" ++ salt ++ "$abc"],"#, "hash = \"$6$…\",");
        check_placed("x []", "x ");
    }

    #[test]
    fn hashes_are_blanked_and_nothing_else() {
        let hash = "a".repeat(86);
        check(&format!("hash = \"$6$salt${hash}\", x"), "hash = \"$6$…\", x");
        check(&format!("ada,$5$rounds=5000$salt${}\ngrace,1\n", "b".repeat(43)), "ada,$5$…\ngrace,1\n");
        check("\"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzYWx0$abc/def+\"", "\"$argon2id$…\"");
        check("it costs $5$ or $100, %{x}$", "it costs $5$ or $100, %{x}$");
        check("$$$6$short", "$$$6$short");
        assert_eq!(blanked(b"\xff$6", &[], 0), b"\xff$6");
    }
}
