//! Addresses as they come in envelopes. Other people's software writes forms that RFC 5321 §4.1.2 does not allow:
//! `a..b@x`, host names with underscores, a dot behind the domain. Refusing such a sender helps nobody: qmail takes
//! such mail, and a notice reaches the sender. So an envelope is read generously, and an address is refused only where
//! no answer could reach it. A site is read strictly, by [`std::str::FromStr`]. Start at [`Address::received`].

use std::net::{IpAddr, Ipv6Addr};

use crate::{Address, AddressError, Domain, LocalPart, ReversePath, local_part};

impl ReversePath {
    /// Reads the text between the angle brackets, as it comes from a stranger or stands in our own queue.
    ///
    /// # Errors
    /// As [`Address::received`].
    pub fn received(text: &str) -> Result<Self, AddressError> {
        match text {
            "" => Ok(Self::Null),
            "#@[]" => Ok(Self::DoubleBounce),
            other => Address::received(other).map(Self::Address),
        }
    }
}

impl Address {
    /// Reads an address as it comes in an envelope; everything before the last `@` is the local part, as in qmail.
    /// [`std::fmt::Display`] prints it as RFC 5321 wants it: `"a..b"@my_host.example`.
    ///
    /// # Errors
    /// When a part is missing or longer than 254 octets in all, holds a control or non-ASCII character, or when the
    /// domain can stand in no DNS query.
    pub fn received(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or_else(|| AddressError::new(text, "has no @"))?;
        Self::new(LocalPart::received(local)?, Domain::received(domain)?).within_limit(text)
    }
}

impl LocalPart {
    /// Reads a local part with or without quotes. Dots may stand anywhere, and 64 octets are no limit: senders
    /// that encode the recipient into their own address (VERP, SRS) are longer. Quotes and backslashes quote
    /// wherever they stand.
    ///
    /// # Errors
    /// When the text is empty, over 254 octets, ends inside its quotes, or holds a control or non-ASCII character.
    pub fn received(text: &str) -> Result<Self, AddressError> {
        let whole = local_part::inside_quotes(text).map(|inner| local_part::unquote(text, inner));
        let value = match whole {
            Some(Ok(value)) => value,
            _ => unquote_anywhere(text)?,
        };
        Self::of_length(&value, local_part::LONGEST_RECEIVED)
    }
}

impl Domain {
    /// Reads a domain with a final dot, underscores, or hyphens at the ends of labels, or an address literal.
    ///
    /// # Errors
    /// When the text is empty, too long for the DNS, or has an empty label or another character.
    pub fn received(text: &str) -> Result<Self, AddressError> {
        if let Some(address) = literal(text) {
            return Ok(Self(print_literal(address).into_boxed_str()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(AddressError::new(text, "has a domain that no DNS query can name"));
        }
        Ok(Self(name.to_ascii_lowercase().into_boxed_str()))
    }

    /// The IP address in a received address literal (RFC 5321 §4.1.3); mail for the literal goes there.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        literal(self.as_str())
    }
}

/// `IPv4-address-literal / IPv6-address-literal` in its brackets.
fn literal(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    match inner.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => inner.parse().ok().map(IpAddr::V4),
    }
}

fn print_literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[ipv6:{address}]"),
    }
}

/// Removes quotes as qmail-smtpd does, wherever they stand; a character after a backslash stays.
fn unquote_anywhere(text: &str) -> Result<String, AddressError> {
    let (mut value, mut quoted) = (String::new(), false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' => value.push(chars.next().ok_or_else(|| AddressError::new(text, "ends with a backslash"))?),
            other => value.push(other),
        }
    }
    if quoted {
        return Err(AddressError::new(text, "ends inside its quotes"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, printed: &str) {
        let address = Address::received(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(address.to_string(), printed, "{text:?}");
        assert_eq!(Address::received(printed).as_ref(), Ok(&address), "{printed:?} is read again as the same");
        let json = serde_json::to_string(&address).unwrap();
        assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address, "{json} goes through a door");
    }

    #[test]
    fn what_others_send_is_read_generously() {
        check("ada@Example.org", "ada@example.org");
        check("a@my_host.example", "a@my_host.example");
        check("a@-host-.example", "a@-host-.example");
        check("a@example.org.", "a@example.org");
        check("a..b@x.example", "\"a..b\"@x.example");
        check(".a@x.example", "\".a\"@x.example");
        check("a.@x.example", "\"a.\"@x.example");
        check("a b@x.example", "\"a b\"@x.example");
        check("a@b@x.example", "\"a@b\"@x.example");
        check("\"a b\".c@x.example", "\"a b.c\"@x.example");
        check("a\\@b@x.example", "\"a@b\"@x.example");
        check("a@[192.0.2.1]", "a@[192.0.2.1]");
        check("a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]");
        let verp = format!("bounces-{}=example.org@x.example", "a".repeat(100));
        check(&verp, &verp);
    }

    #[test]
    fn what_cannot_be_answered_to_is_refused() {
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in [
            "",
            "ada",
            "@x.example",
            "ada@",
            "ada@.",
            "ada@x..example",
            "ada@x.example..",
            "ada@a b.example",
            "ada@[]",
            "ada@[192.0.2]",
            "ada@[x.example]",
            "ada@x/../y",
            "gr\u{fc}n@x.example",
            "ada@gr\u{fc}n.example",
            "a\tb@x.example",
            "\"\"@x.example",
            "\"ada@x.example",
            "ada\"@x.example",
            "a@\"b@c.example\"",
            "#@[]",
            &long,
        ] {
            assert!(Address::received(bad).is_err(), "{bad:?}");
        }
        assert_eq!(ReversePath::received("#@[]"), Ok(ReversePath::DoubleBounce));
        assert_eq!(ReversePath::received(""), Ok(ReversePath::Null));
    }

    #[test]
    fn literals_say_where_mail_goes() {
        let check = |text: &str, expected: Option<&str>| {
            let literal = Domain::received(text).unwrap().literal();
            assert_eq!(literal, expected.map(|ip| ip.parse().unwrap()), "{text}");
        };
        check("[192.0.2.1]", Some("192.0.2.1"));
        check("[ipv6:2001:db8::1]", Some("2001:db8::1"));
        check("192.0.2.1", None);
        check("example.org", None);
    }
}
