//! A message as SEARCH looks at it: fields and text parts decoded (RFC 2047, RFC 2045) and in lower case. Decoders are
//! mail-parser's; where nothing can be decoded, the octets are searched as they are.

use mail_parser::HeaderValue;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;

use crate::date::days;
use crate::fields::{fields, header_length, slice, unfolded, value};
use crate::mime::Entity;

/// A message, or its header.
#[derive(Debug)]
pub(crate) struct Haystack<'a> {
    message: &'a [u8],
    header: &'a [u8],
}

impl<'a> Haystack<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { message, header: message.get(..header_length(message)).unwrap_or_default() }
    }

    /// The day of the Date field, without regard to its zone (§6.4.4 SENTBEFORE).
    pub(crate) fn sent(&self) -> Option<i64> {
        let mut date = value(self.header, "Date")?;
        date.push(b'\n');
        match MessageStream::new(&date).parse_date() {
            HeaderValue::DateTime(date) => Some(days(date.year.into(), date.month.into(), date.day.into())),
            _ => None,
        }
    }

    /// Whether a field of this name contains the needle; an empty one fits any field.
    pub(crate) fn header_contains(&self, name: &str, needle: &str) -> bool {
        fields(self.header)
            .filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .any(|field| contains(&decoded_words(field.value), needle))
    }

    /// Whether a text part contains the needle.
    pub(crate) fn body_contains(&self, needle: &str) -> bool {
        let tree = Entity::parse(self.message);
        tree.leaves().iter().any(|part| {
            let searched = part.kind == "text" || part.kind == "message";
            searched && contains(&self.decoded(part), needle)
        })
    }

    /// Whether header or body contain the needle.
    pub(crate) fn text_contains(&self, needle: &str) -> bool {
        let in_header = fields(self.header).any(|field| {
            contains(&String::from_utf8_lossy(field.whole).to_lowercase(), needle)
                || contains(&decoded_words(field.value), needle)
        });
        in_header || self.body_contains(needle)
    }

    /// A part's text in lower case.
    fn decoded(&self, part: &Entity) -> String {
        let body = slice(self.message, &part.body);
        let encoding = value(slice(self.message, &part.header), "Content-Transfer-Encoding").unwrap_or_default();
        let decoded = match encoding.to_ascii_lowercase().as_slice() {
            b"base64" => base64_decode(body),
            b"quoted-printable" => quoted_printable_decode(body),
            _ => None,
        };
        let octets = decoded.as_deref().unwrap_or(body);
        let charset = part.parameters.iter().find(|(name, _)| name == "charset").map(|(_, charset)| charset.as_slice());
        let text = match charset.and_then(charset_decoder) {
            Some(decode) => decode(octets),
            None => String::from_utf8_lossy(octets).into_owned(),
        };
        text.to_lowercase()
    }
}

/// A field's value with its encoded words decoded, in lower case.
fn decoded_words(value: &[u8]) -> String {
    let mut line = unfolded(value);
    line.push(b'\n');
    match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => text.to_lowercase(),
        _ => String::new(),
    }
}

fn contains(text: &str, needle: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
}
