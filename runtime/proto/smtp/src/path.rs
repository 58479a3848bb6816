//! Reverse and forward paths (RFC 5321 §4.1.2), read from the line itself.
//!
//! smtp-proto's own reading drops quotes (so that `<"">` and `<>` look alike) and gives the same empty text for `<>`
//! and `<Postmaster>`; the path grammar therefore stands here whole, and smtp-proto reads commands and parameters.

//! Strangers' paths are read generously (`postkiln_address`'s module `received` says why), with or
//! without their brackets.

use postkiln_address::{Address, Domain, LocalPart, ReversePath};

/// `MAIL FROM:` or `RCPT TO:` taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The text between the angle brackets, or up to the next space where there are none.
    path: &'a str,
    bracketed: bool,
    /// The text after the path, without spaces at its ends.
    pub(crate) parameters: &'a str,
}

impl<'a> Line<'a> {
    /// Takes apart what follows the colon.
    pub(crate) fn new(line: &'a [u8]) -> Option<Self> {
        let rest = std::str::from_utf8(line).ok()?.split_once(':')?.1.trim_ascii_start();
        let inner = rest.strip_prefix('<');
        let bracketed = inner.is_some();
        let text = inner.unwrap_or(rest);
        let end = match end_of_path(text, if bracketed { '>' } else { ' ' }) {
            Some(end) => end,
            None if bracketed => return None,
            None => text.len(),
        };
        let (path, parameters) = text.split_at_checked(end)?;
        Some(Self { path, bracketed, parameters: parameters.trim_start_matches('>').trim_ascii() })
    }

    /// `Reverse-path = Path / "<>"`.
    pub(crate) fn reverse(&self) -> Option<ReversePath> {
        match mailbox(self.path)? {
            "" if self.bracketed => Some(ReversePath::Null),
            text => Address::received(text).ok().map(ReversePath::Address),
        }
    }

    /// `Forward-path = Path`, or `"<Postmaster>"` at our own `hostname` (§4.5.1).
    pub(crate) fn forward(&self, hostname: &Domain) -> Option<Address> {
        let text = mailbox(self.path)?;
        if text.eq_ignore_ascii_case("postmaster") {
            return Some(Address::new(LocalPart::new("postmaster").ok()?, hostname.clone()));
        }
        Address::received(text).ok()
    }
}

/// Where a path ends, quoted strings respected.
fn end_of_path(text: &str, closing: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            c if c == closing && !quoted => return Some(at),
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
        for parameters in ["", " ", " SIZE=3", "  SIZE=3 "] {
            let text = format!("MAIL FROM:{path}{parameters}");
            let hostname = "mail.example.org".parse().unwrap();
            let line = Line::new(text.as_bytes());
            let reverse = line.and_then(|line| line.reverse());
            assert_eq!(reverse.map(|p| p.to_string()).as_deref(), printed_reverse, "{text}");
            let forward = line.and_then(|line| line.forward(&hostname));
            assert_eq!(forward.map(|p| p.to_string()).as_deref(), printed_forward, "{text}");
            if printed_reverse.is_some() {
                assert_eq!(line.map(|line| line.parameters), Some(parameters.trim()), "{text}");
            }
        }
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
        same("ada@example.org", "ada@example.org");
        same(" ada@example.org", "ada@example.org");
        same("\"a b\"@example.org", "\"a b\"@example.org");
        same("@a.example:ada@example.org", "ada@example.org");
        same("<a@my_host.example>", "a@my_host.example");
        same("<a..b@x.example>", "\"a..b\"@x.example");
        same("<.a@x.example>", "\".a\"@x.example");
        same("<ada@example.org.>", "ada@example.org");
        same("<a\"b\"@c.example>", "ab@c.example");
        same("<a@[192.0.2.1]>", "a@[192.0.2.1]");
        check("<>", Some(""), None);
        check("<postMaster>", None, Some("postmaster@mail.example.org"));
        for bad in [
            "<\"\">",
            "",
            "<ada@example.org",
            "<ada>",
            "<@a.example:>",
            "<a@\"b@c.example\">",
            "<#@[]>",
            "ada",
            "<a@x..example>",
            "\"a b@c.example",
        ] {
            check(bad, None, None);
        }
    }
}
