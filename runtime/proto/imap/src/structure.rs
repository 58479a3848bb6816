//! BODYSTRUCTURE and BODY (RFC 3501 §7.4.2).

use crate::envelope::{push_envelope, push_parameters};
use crate::fields::{Parameters, slice, value};
use crate::mime::{Content, Entity};
use crate::wire::{push_nstring, push_string};

/// `body = "(" (body-type-1part / body-type-mpart) ")"`; `extended` for BODYSTRUCTURE.
pub(crate) fn push_structure(out: &mut Vec<u8>, message: &[u8], entity: &Entity, extended: bool) {
    out.push(b'(');
    match &entity.content {
        Content::Multipart(parts) => {
            for part in parts {
                push_structure(out, message, part, extended);
            }
            out.push(b' ');
            push_string(out, entity.subtype.as_bytes());
            if extended {
                out.push(b' ');
                push_parameters(out, &entity.parameters);
                push_disposition(out, message, entity);
            }
        }
        content => {
            push_fields(out, message, entity);
            let body = slice(message, &entity.body);
            if let Content::Message(inner) = content {
                out.push(b' ');
                push_envelope(out, slice(message, &inner.header));
                out.push(b' ');
                push_structure(out, message, inner, extended);
                out.extend_from_slice(format!(" {}", lines(body)).as_bytes());
            } else if entity.kind == "text" {
                out.extend_from_slice(format!(" {}", lines(body)).as_bytes());
            }
            if extended {
                out.push(b' ');
                push_nstring(out, field(message, entity, "Content-MD5").as_deref());
                push_disposition(out, message, entity);
            }
        }
    }
    out.push(b')');
}

/// `media SP body-fields`: type, parameters, id, description, encoding, octets.
fn push_fields(out: &mut Vec<u8>, message: &[u8], entity: &Entity) {
    push_string(out, entity.kind.as_bytes());
    out.push(b' ');
    push_string(out, entity.subtype.as_bytes());
    out.push(b' ');
    if entity.kind == "text" && entity.parameters.is_empty() {
        // RFC 2045 §5.2
        out.extend_from_slice(b"(\"charset\" \"us-ascii\")");
    } else {
        push_parameters(out, &entity.parameters);
    }
    for name in ["Content-ID", "Content-Description"] {
        out.push(b' ');
        push_nstring(out, field(message, entity, name).as_deref());
    }
    out.push(b' ');
    let encoding = field(message, entity, "Content-Transfer-Encoding").filter(|encoding| !encoding.is_empty());
    push_string(out, encoding.as_deref().unwrap_or(b"7bit"));
    out.extend_from_slice(format!(" {}", entity.body.len()).as_bytes());
}

/// `SP body-fld-dsp SP body-fld-lang SP body-fld-loc`
fn push_disposition(out: &mut Vec<u8>, message: &[u8], entity: &Entity) {
    out.push(b' ');
    let disposition = field(message, entity, "Content-Disposition").map(|text| Parameters::parse(&text));
    match disposition.filter(|disposition| !disposition.value.is_empty()) {
        Some(disposition) => {
            out.push(b'(');
            push_string(out, disposition.value.as_bytes());
            out.push(b' ');
            push_parameters(out, &disposition.list);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    for name in ["Content-Language", "Content-Location"] {
        out.push(b' ');
        push_nstring(out, field(message, entity, name).as_deref());
    }
}

fn field(message: &[u8], entity: &Entity, name: &str) -> Option<Vec<u8>> {
    value(slice(message, &entity.header), name)
}

/// Text lines; a last one without a line end counts.
fn lines(body: &[u8]) -> usize {
    body.iter().filter(|b| **b == b'\n').count() + usize::from(body.last().is_some_and(|b| *b != b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, extended: bool, expected: &str) {
        let mut out = Vec::new();
        push_structure(&mut out, message.as_bytes(), &Entity::parse(message.as_bytes()), extended);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{message}");
    }

    #[test]
    fn structures() {
        check("a: b\r\n\r\none\r\ntwo", false, r#"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 8 2)"#);
        check(
            "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: image/png; \
             name=\"a b\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; \
             filename=a\r\n\r\nAAAA\r\n--x--\r\n",
            true,
            "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL)(\"image\" \"png\" (\"name\" \"a \
             b\") NIL NIL \"base64\" 4 NIL (\"attachment\" (\"filename\" \"a\")) NIL NIL) \"mixed\" (\"boundary\" \"x\") NIL NIL \
             NIL)",
        );
        check(
            "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n",
            false,
            "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" \
             (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1) 3)",
        );
    }
}
