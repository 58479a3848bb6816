//! Reverse and forward paths (RFC 5321 §4.1.2), read from the line itself.
//!
//! smtp-proto's own reading drops quotes (so that `<"">` and `<>` look alike) and gives the same empty text for `<>` and
//! `<Postmaster>`; the path grammar therefore stands here whole, and smtp-proto reads commands and parameters.

use postkiln_address::{Address, Domain, LocalPart, ReversePath};

/// `Reverse-path = Path / "<>"`.
pub(crate) fn reverse(line: &[u8]) -> Option<ReversePath> {
    match mailbox(bracketed(line)?)? {
        "" => Some(ReversePath::Null),
        text => text.parse().ok().map(ReversePath::Address),
    }
}

/// `Forward-path = Path`, or `"<Postmaster>"` at our own `hostname` (§4.5.1).
pub(crate) fn forward(line: &[u8], hostname: &Domain) -> Option<Address> {
    let text = mailbox(bracketed(line)?)?;
    if text.eq_ignore_ascii_case("postmaster") {
        return Some(Address::new(LocalPart::new("postmaster").ok()?, hostname.clone()));
    }
    text.parse().ok()
}

/// The text between the angle brackets, quoted strings respected.
fn bracketed(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?;
    let inner = line.split_once(':')?.1.trim_start_matches(' ').strip_prefix('<')?;
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return inner.get(..at),
            _ => {}
        }
    }
    None
}

/// `Path = [ A-d-l ":" ] Mailbox`: a source route is accepted and ignored (RFC 5321 §3.6.1 and appendix C).
fn mailbox(path: &str) -> Option<&str> {
    if path.starts_with('@') {
        path.split_once(':').map(|(_, mailbox)| mailbox).filter(|m| !m.is_empty())
    } else {
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, printed_reverse: Option<&str>, printed_forward: Option<&str>) {
        let line = format!("MAIL FROM:{path} SIZE=3");
        let hostname = "mail.example.org".parse().unwrap();
        assert_eq!(reverse(line.as_bytes()).map(|p| p.to_string()).as_deref(), printed_reverse, "{path}");
        assert_eq!(forward(line.as_bytes(), &hostname).map(|p| p.to_string()).as_deref(), printed_forward, "{path}");
    }

    #[test]
    fn paths() {
        let same = |path, printed| check(path, Some(printed), Some(printed));
        same("<ada@Example.org>", "ada@example.org");
        same(" <ada@example.org>", "ada@example.org");
        same("<@a.example,@b.example:ada@example.org>", "ada@example.org");
        same("<\"a>b\"@example.org>", "\"a>b\"@example.org");
        same("<\"a@b\"@example.org>", "\"a@b\"@example.org");
        same("<\"a\\\"b\"@example.org>", "\"a\\\"b\"@example.org");
        check("<>", Some(""), None);
        check("<postMaster>", None, Some("postmaster@mail.example.org"));
        for bad in [
            "<\"\">",
            "ada@example.org",
            "<ada@example.org",
            "<ada>",
            "<@a.example:>",
            "<a@\"b@c.example\">",
            "<#@[]>",
            "<a\"b\"@c.example>",
        ] {
            check(bad, None, None);
        }
    }
}
