//! The site as written, for people: without password hashes.

/// The file with everything in crypt form (`$ID$…`) cut after its kind. Works on octets: a source need not be UTF-8.
pub(crate) fn blanked(bytes: &[u8]) -> Vec<u8> {
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
    let id = from.get(1..)?.iter().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || **b == b'-').count();
    if !(1..=16).contains(&id) || from.get(id + 1) != Some(&b'$') {
        return None;
    }
    let kind = id + 2;
    let part = |b: &&u8| b.is_ascii_alphanumeric() || b"./+=,$-_".contains(b);
    let length = from.get(kind..)?.iter().take_while(part).count();
    // Shorter than any hash: it is something else.
    (length >= 20).then_some((kind, kind + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(String::from_utf8(blanked(text.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn hashes_are_blanked_and_nothing_else() {
        let hash = "a".repeat(86);
        check(&format!("hash = \"$6$salt${hash}\", x"), "hash = \"$6$…\", x");
        check(&format!("ada,$5$rounds=5000$salt${}\ngrace,1\n", "b".repeat(43)), "ada,$5$…\ngrace,1\n");
        check("\"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzYWx0$abc/def+\"", "\"$argon2id$…\"");
        check("it costs $5$ or $100, %{x}$", "it costs $5$ or $100, %{x}$");
        check("$$$6$short", "$$$6$short");
        assert_eq!(blanked(b"\xff$6"), b"\xff$6");
    }
}
