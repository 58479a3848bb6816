//! The tree of a message's parts (RFC 2045, RFC 2046): where each begins and ends. Bounded in depth and number; what
//! goes beyond is one part that is not taken apart.

use std::ops::Range;

use crate::fields::{ParameterList, Parameters, header_length, slice, value};

/// A message or one of its parts, as places in the message.
#[derive(Clone, Debug)]
pub(crate) struct Entity {
    /// With the blank line.
    pub(crate) header: Range<usize>,
    pub(crate) body: Range<usize>,
    /// The type in lower case.
    pub(crate) kind: String,
    /// The subtype in lower case.
    pub(crate) subtype: String,
    pub(crate) parameters: ParameterList,
    pub(crate) content: Content,
}

/// The kinds of bodies.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Leaf,
    /// At least one.
    Multipart(Vec<Entity>),
    /// A body of type message/rfc822.
    Message(Box<Entity>),
}

impl Entity {
    /// Takes a whole message apart.
    pub(crate) fn parse(message: &[u8]) -> Self {
        let mut left = MOST_PARTS;
        Self::parse_range(message, 0..message.len(), DEEPEST, false, &mut left)
    }

    fn parse_range(message: &[u8], range: Range<usize>, depth: u32, in_digest: bool, left: &mut usize) -> Self {
        *left = left.saturating_sub(1);
        let bytes = slice(message, &range);
        let split = range.start + header_length(bytes);
        let (header, body) = (range.start..split, split..range.end);
        let declared = value(slice(message, &header), "Content-Type").map(|text| Parameters::parse(&text));
        // RFC 2046 §5.1.5: in a digest, the default is a message.
        let default = if in_digest { ("message", "rfc822") } else { ("text", "plain") };
        let (kind, subtype, parameters) = declared.and_then(typed).unwrap_or_else(|| {
            // RFC 2045 §5.2, also for what cannot be read.
            (default.0.to_owned(), default.1.to_owned(), Vec::new())
        });
        let mut entity = Self { header, body, kind, subtype, parameters, content: Content::Leaf };
        if depth > 0 && *left > 0 {
            entity.content = entity.descend(message, depth - 1, left);
        }
        if entity.kind == "multipart" && matches!(entity.content, Content::Leaf) {
            // Without parts it cannot be shown as a multipart (RFC 3501 §7.4.2 body-type-mpart).
            (entity.kind, entity.subtype) = ("text".to_owned(), "plain".to_owned());
        }
        if entity.kind == "message" && entity.subtype == "rfc822" && matches!(entity.content, Content::Leaf) {
            (entity.kind, entity.subtype) = ("application".to_owned(), "octet-stream".to_owned());
        }
        entity
    }

    fn descend(&self, message: &[u8], depth: u32, left: &mut usize) -> Content {
        if self.kind == "message" && self.subtype == "rfc822" && self.is_plain(message) {
            return Content::Message(Box::new(Self::parse_range(message, self.body.clone(), depth, false, left)));
        }
        let boundary = self.parameters.iter().find(|(name, _)| name == "boundary").map(|(_, value)| value);
        let Some(boundary) = boundary.filter(|boundary| self.kind == "multipart" && !boundary.is_empty()) else {
            return Content::Leaf;
        };
        let mut parts = Vec::new();
        for range in pieces(message, &self.body, boundary) {
            if *left == 0 {
                break;
            }
            parts.push(Self::parse_range(message, range, depth, self.subtype == "digest", left));
        }
        if parts.is_empty() { Content::Leaf } else { Content::Multipart(parts) }
    }

    /// Whether the body stands as it is, without base64 or quoted-printable.
    fn is_plain(&self, message: &[u8]) -> bool {
        value(slice(message, &self.header), "Content-Transfer-Encoding").is_none_or(|encoding| {
            [&b"7bit"[..], b"8bit", b"binary"].iter().any(|plain| encoding.eq_ignore_ascii_case(plain))
        })
    }

    /// The part that a section's numbers name (RFC 3501 §6.4.5); a message that is no multipart has one part, its body.
    pub(crate) fn part(&self, path: &[u32]) -> Option<&Self> {
        let mut container = self;
        let mut found: Option<&Self> = None;
        for number in path {
            if let Some(part) = found {
                container = match &part.content {
                    Content::Message(inner) => inner,
                    Content::Multipart(_) => part,
                    Content::Leaf => return None,
                };
            }
            let at = usize::try_from(*number).ok()?.checked_sub(1)?;
            found = Some(match &container.content {
                Content::Multipart(parts) => parts.get(at)?,
                _ if at == 0 => container,
                _ => return None,
            });
        }
        found
    }

    /// Every part that has no parts of its own.
    pub(crate) fn leaves(&self) -> Vec<&Self> {
        match &self.content {
            Content::Leaf => vec![self],
            Content::Multipart(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Content::Message(inner) => inner.leaves(),
        }
    }
}

/// `type "/" subtype` with its parameters.
fn typed(declared: Parameters) -> Option<(String, String, ParameterList)> {
    let (kind, subtype) = declared.value.split_once('/')?;
    let (kind, subtype) = (kind.trim().to_ascii_lowercase(), subtype.trim().to_ascii_lowercase());
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    (is_token(&kind) && is_token(&subtype)).then_some((kind, subtype, declared.list))
}

/// The parts between delimiter lines (RFC 2046 §5.1.1); the line end before a delimiter belongs to the delimiter.
fn pieces(message: &[u8], body: &Range<usize>, boundary: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = body.start;
    for line in slice(message, body).split_inclusive(|b| *b == b'\n') {
        let begins = at;
        at += line.len();
        let Some(rest) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)) else { continue };
        let (rest, is_last) = rest.strip_prefix(b"--").map_or((rest, false), |rest| (rest, true));
        if !rest.trim_ascii().is_empty() {
            continue;
        }
        if let Some(start) = open {
            let piece = message.get(start..begins).unwrap_or_default();
            let piece = piece.strip_suffix(b"\n").map_or(piece, |piece| piece.strip_suffix(b"\r").unwrap_or(piece));
            found.push(start..start + piece.len());
        }
        open = Some(at);
        if is_last || found.len() >= MOST_PARTS {
            return found;
        }
    }
    // A message that was cut has no last delimiter.
    found.extend(open.map(|start| start..body.end));
    found
}

const DEEPEST: u32 = 32;
const MOST_PARTS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "Content-Type: multipart/mixed; boundary=x\r\n\r\npreamble\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: \
        message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/alternative; boundary=\"y z\"\r\n\r\n--y z\r\n\
        Content-Type: text/html\r\n\r\n<p>\r\n--y z--\r\n--x--\r\nepilogue\r\n";

    fn body(path: &[u32]) -> Option<&'static str> {
        let entity = Entity::parse(MAIL.as_bytes());
        entity.part(path).map(|part| &MAIL[part.body.clone()])
    }

    #[test]
    fn parts_are_found_by_number() {
        assert_eq!(body(&[1]), Some("one"));
        assert!(body(&[2]).unwrap().starts_with("Subject: inner"));
        assert_eq!(body(&[2, 1]), Some("<p>"));
        for none in [&[3][..], &[1, 1], &[2, 2], &[0]] {
            assert_eq!(body(none), None, "{none:?}");
        }
        let plain = Entity::parse(b"a: b\r\n\r\ntext");
        assert_eq!(plain.part(&[1]).map(|part| part.body.clone()), Some(8..12));
    }

    #[test]
    fn what_is_broken_is_still_a_message() {
        for broken in [
            "",
            "\r\n",
            "Content-Type: multipart/mixed\r\n\r\nx",
            "Content-Type: x\r\n\r\n",
            "Content-Type: multipart/mixed; boundary=x\r\n\r\nx",
        ] {
            let entity = Entity::parse(broken.as_bytes());
            assert_eq!((entity.kind.as_str(), entity.subtype.as_str()), ("text", "plain"), "{broken:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
        assert!(Entity::parse(deep.as_bytes()).leaves().len() == 1);
    }
}
