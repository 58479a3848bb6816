//! ENVELOPE (RFC 3501 §7.4.2): addresses by mail-parser's grammar, everything else as it stands in the header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};

use crate::fields::{fields, unfolded, value};
use crate::wire::{push_nstring, push_string};

/// `envelope = "(" env-date SP env-subject SP env-from SP … SP env-message-id ")"`
pub(crate) fn push_envelope(out: &mut Vec<u8>, header: &[u8]) {
    let text = |name: &str| value(header, name);
    out.push(b'(');
    push_nstring(out, text("Date").as_deref());
    out.push(b' ');
    push_nstring(out, text("Subject").as_deref());
    let from = addresses(header, "From");
    for name in ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"] {
        out.push(b' ');
        match (name, addresses(header, name)) {
            // RFC 3501 §7.4.2: Sender and Reply-To default to From.
            ("Sender" | "Reply-To", list) if list.is_empty() => push_addresses(out, &from),
            (_, list) => push_addresses(out, &list),
        }
    }
    for name in ["In-Reply-To", "Message-ID"] {
        out.push(b' ');
        push_nstring(out, text(name).as_deref());
    }
    out.push(b')');
}

/// One address, or the beginning or end of a group.
#[derive(Debug, PartialEq, Eq)]
struct Mailbox {
    name: Option<String>,
    local: Option<String>,
    host: Option<String>,
}

/// All addresses in the fields of this name.
fn addresses(header: &[u8], name: &str) -> Vec<Mailbox> {
    let mut found = Vec::new();
    for field in fields(header).filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes())) {
        let mut line = unfolded(field.value);
        line.push(b'\n');
        match MessageStream::new(&line).parse_address() {
            HeaderValue::Address(Address::List(list)) => found.extend(list.iter().map(mailbox)),
            HeaderValue::Address(Address::Group(groups)) => {
                for group in groups {
                    let begin = group.name.as_deref().map(str::to_owned);
                    let named = begin.is_some();
                    if named {
                        found.push(Mailbox { name: None, local: begin, host: None });
                    }
                    found.extend(group.addresses.iter().map(mailbox));
                    if named {
                        found.push(Mailbox { name: None, local: None, host: None });
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn mailbox(address: &Addr<'_>) -> Mailbox {
    let name = address.name.as_deref().map(str::to_owned);
    let text = address.address.as_deref().unwrap_or_default();
    let (local, host) = text.rsplit_once('@').unwrap_or((text, ""));
    // NIL stands for groups in both places: a missing part is an empty string.
    Mailbox { name, local: Some(local.to_owned()), host: Some(host.to_owned()) }
}

/// `"(" 1*address ")" / nil`; `address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"`
fn push_addresses(out: &mut Vec<u8>, list: &[Mailbox]) {
    if list.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        push_nstring(out, address.name.as_deref().map(encoded).as_deref().map(str::as_bytes));
        out.extend_from_slice(b" NIL ");
        push_nstring(out, address.local.as_deref().map(str::as_bytes));
        out.push(b' ');
        push_nstring(out, address.host.as_deref().map(str::as_bytes));
        out.push(b')');
    }
    out.push(b')');
}

/// The grammar has decoded a name: what is not ASCII is written as encoded words again (RFC 2047).
fn encoded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in name.chars() {
        // 45 octets are 60 in base64, 72 with the word's frame: below the 75 that are allowed.
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect::<Vec<_>>().join(" ")
}

/// A parameter list: `"(" string SP string *(SP string SP string) ")" / nil`
pub(crate) fn push_parameters(out: &mut Vec<u8>, list: &[(String, Vec<u8>)]) {
    if list.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    for (at, (name, value)) in list.iter().enumerate() {
        out.push(if at == 0 { b'(' } else { b' ' });
        push_string(out, name.as_bytes());
        out.push(b' ');
        push_string(out, value);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: &str) {
        let mut out = Vec::new();
        push_envelope(&mut out, header.as_bytes());
        assert_eq!(String::from_utf8_lossy(&out), expected, "{header}");
    }

    #[test]
    fn envelopes() {
        check("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        check(
            "Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nSubject: =?utf-8?q?a?=\r\n b\r\nFrom: \"Ada L\" <ada@x.org>\r\nTo: b@x.org, \
             c@y.org\r\nMessage-ID: <1@x>\r\n\r\n",
            "(\"Mon, 2 Mar 2026 10:00:00 +0000\" \"=?utf-8?q?a?= b\" ((\"Ada L\" NIL \"ada\" \"x.org\")) ((\"Ada L\" NIL \"ada\" \
             \"x.org\")) ((\"Ada L\" NIL \"ada\" \"x.org\")) ((NIL NIL \"b\" \"x.org\")(NIL NIL \"c\" \"y.org\")) NIL NIL NIL \
             \"<1@x>\")",
        );
        check(
            "To: team: a@x.org, =?utf-8?q?=C3=A9?= <b@x.org>;\r\n\r\n",
            "(NIL NIL NIL NIL NIL ((NIL NIL \"team\" NIL)(NIL NIL \"a\" \"x.org\")(\"=?UTF-8?B?w6k=?=\" NIL \"b\" \"x.org\")(NIL \
             NIL NIL NIL)) NIL NIL NIL NIL)",
        );
    }
}
