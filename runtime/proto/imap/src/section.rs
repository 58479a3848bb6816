//! Sections of a message: `BODY[1.2.HEADER.FIELDS (TO)]<0.100>` (RFC 3501 §6.4.5).

use std::borrow::Cow;

use crate::cursor::{Bad, Cursor};
use crate::fields::{fields, slice};
use crate::mime::{Content, Entity};
use crate::question::Part;
use crate::wire::mailbox as astring;

/// A part of a message that FETCH asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Numbers of nested parts.
    path: Vec<u32>,
    text: Wanted,
    /// Offset and most octets.
    partial: Option<(u32, u32)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// The part itself.
    Whole,
    Header,
    /// Only these fields, or all but these.
    Fields {
        names: Vec<String>,
        not: bool,
    },
    /// TEXT: what follows the header.
    Body,
    Mime,
}

impl Section {
    /// The whole message.
    pub(crate) const fn whole() -> Self {
        Self { path: Vec::new(), text: Wanted::Whole, partial: None }
    }

    /// The section of RFC822.HEADER.
    pub(crate) const fn header() -> Self {
        Self { path: Vec::new(), text: Wanted::Header, partial: None }
    }

    /// The section of RFC822.TEXT.
    pub(crate) const fn text() -> Self {
        Self { path: Vec::new(), text: Wanted::Body, partial: None }
    }

    /// `section = "[" [section-spec] "]" ["<" number "." nz-number ">"]`
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        cursor.expect(b'[', "a section is missing")?;
        let mut path = Vec::new();
        while cursor.peek().is_some_and(|octet| octet.is_ascii_digit()) {
            path.push(cursor.nonzero()?);
            if path.len() > 100 {
                return Err("a section is too deep");
            }
            if !cursor.take(b'.') {
                cursor.expect(b']', "a section does not end")?;
                return Ok(Self { path, text: Wanted::Whole, partial: partial(cursor)? });
            }
        }
        let text = if path.is_empty() && cursor.peek() == Some(b']') { Wanted::Whole } else { text(cursor, &path)? };
        cursor.expect(b']', "a section does not end")?;
        Ok(Self { path, text, partial: partial(cursor)? })
    }

    /// How much of the message is needed.
    pub(crate) const fn needs(&self) -> Part {
        match (self.path.is_empty(), &self.text) {
            (true, Wanted::Header | Wanted::Fields { .. }) => Part::Header,
            _ => Part::Whole,
        }
    }

    /// As the response names it.
    pub(crate) fn print(&self) -> String {
        let mut words: Vec<String> = self.path.iter().map(ToString::to_string).collect();
        match &self.text {
            Wanted::Whole => {}
            Wanted::Header => words.push("HEADER".to_owned()),
            Wanted::Body => words.push("TEXT".to_owned()),
            Wanted::Mime => words.push("MIME".to_owned()),
            Wanted::Fields { names, not } => {
                let names: Vec<String> = names.iter().map(|name| astring(name)).collect();
                words.push(format!("HEADER.FIELDS{} ({})", if *not { ".NOT" } else { "" }, names.join(" ")));
            }
        }
        let origin = self.partial.map(|(origin, _)| format!("<{origin}>")).unwrap_or_default();
        format!("BODY[{}]{origin}", words.join("."))
    }

    /// The octets; `None` for a part that is not there. `root` is the message taken apart.
    pub(crate) fn cut<'m, 'e>(&self, message: &'m [u8], root: impl Fn() -> &'e Entity) -> Option<Cow<'m, [u8]>> {
        let content = self.content(message, root)?;
        let Some((origin, most)) = self.partial else { return Some(content) };
        let from = usize::try_from(origin).unwrap_or(usize::MAX).min(content.len());
        let to = from.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)).min(content.len());
        Some(match content {
            Cow::Borrowed(content) => Cow::Borrowed(content.get(from..to)?),
            Cow::Owned(content) => Cow::Owned(content.get(from..to)?.to_vec()),
        })
    }

    fn content<'m, 'e>(&self, message: &'m [u8], root: impl Fn() -> &'e Entity) -> Option<Cow<'m, [u8]>> {
        if self.path.is_empty() && self.text == Wanted::Whole {
            return Some(Cow::Borrowed(message));
        }
        let root = root();
        let part = if self.path.is_empty() { None } else { Some(root.part(&self.path)?) };
        // HEADER and TEXT of a part are those of the message in it.
        let inner = match part {
            None => Some(root),
            Some(Entity { content: Content::Message(inner), .. }) => Some(&**inner),
            Some(_) => None,
        };
        let range = match &self.text {
            Wanted::Whole => &part?.body,
            Wanted::Mime => &part?.header,
            Wanted::Header => &inner?.header,
            Wanted::Body => &inner?.body,
            Wanted::Fields { names, not } => {
                return Some(Cow::Owned(subset(slice(message, &inner?.header), names, *not)));
            }
        };
        Some(Cow::Borrowed(slice(message, range)))
    }
}

/// The fields of these names, or all others, with the blank line, which is part of the subset, too.
fn subset(header: &[u8], names: &[String], not: bool) -> Vec<u8> {
    let named = |name: &[u8]| names.iter().any(|wanted| wanted.as_bytes().eq_ignore_ascii_case(name));
    let chosen = fields(header).filter(|field| named(field.name) != not);
    let mut subset: Vec<u8> = chosen.flat_map(|field| field.whole.iter().copied()).collect();
    subset.extend_from_slice(b"\r\n");
    subset
}

/// `section-text = section-msgtext / "MIME"`; MIME only of a part.
fn text(cursor: &mut Cursor<'_>, path: &[u32]) -> Result<Wanted, Bad> {
    let word =
        String::from_utf8_lossy(cursor.while_octets(|b| b.is_ascii_alphabetic() || b == b'.')).to_ascii_uppercase();
    match word.as_str() {
        "HEADER" => Ok(Wanted::Header),
        "TEXT" => Ok(Wanted::Body),
        "MIME" if !path.is_empty() => Ok(Wanted::Mime),
        "HEADER.FIELDS" | "HEADER.FIELDS.NOT" => {
            cursor.space()?;
            let names = cursor.list(|cursor| {
                String::from_utf8(cursor.astring()?)
                    .ok()
                    .filter(|name| name.bytes().all(|b| (b' '..=b'~').contains(&b)))
                    .ok_or("a field name is malformed")
            })?;
            if names.is_empty() {
                return Err("no field is named");
            }
            Ok(Wanted::Fields { names, not: word.ends_with("NOT") })
        }
        _ => Err("a section is unknown"),
    }
}

fn partial(cursor: &mut Cursor<'_>) -> Result<Option<(u32, u32)>, Bad> {
    if !cursor.take(b'<') {
        return Ok(None);
    }
    let origin = cursor.number()?;
    cursor.expect(b'.', "a partial range is malformed")?;
    let most = cursor.nonzero()?;
    cursor.expect(b'>', "a partial range does not end")?;
    Ok(Some((origin, most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: a\r\nTo: b\r\nX: c\r\n d\r\n\r\nbody";

    fn check(section: &str, printed: &str, content: Option<&str>) {
        let parsed = Section::parse(&mut Cursor::new(section.as_bytes())).unwrap();
        assert_eq!(parsed.print(), printed, "{section}");
        let root = Entity::parse(MAIL.as_bytes());
        let cut = parsed.cut(MAIL.as_bytes(), || &root);
        assert_eq!(cut.map(|cut| String::from_utf8_lossy(&cut).into_owned()).as_deref(), content, "{section}");
    }

    #[test]
    fn sections_are_cut() {
        check("[]", "BODY[]", Some(MAIL));
        check("[header]", "BODY[HEADER]", Some("From: a\r\nTo: b\r\nX: c\r\n d\r\n\r\n"));
        check("[HEADER.FIELDS (to \"x\")]", "BODY[HEADER.FIELDS (to x)]", Some("To: b\r\nX: c\r\n d\r\n\r\n"));
        check("[HEADER.FIELDS.NOT (to x)]", "BODY[HEADER.FIELDS.NOT (to x)]", Some("From: a\r\n\r\n"));
        check("[TEXT]<1.2>", "BODY[TEXT]<1>", Some("od"));
        check("[]<900.2>", "BODY[]<900>", Some(""));
        check("[1]", "BODY[1]", Some("body"));
        check("[1.MIME]", "BODY[1.MIME]", Some("From: a\r\nTo: b\r\nX: c\r\n d\r\n\r\n"));
        check("[2]", "BODY[2]", None);
        check("[1.TEXT]", "BODY[1.TEXT]", None);
        for bad in ["[", "[0]", "[MIME]", "[HEADER.FIELDS ()]", "[1.]", "[X]", "[]<1>", "[]<1.0>"] {
            let mut cursor = Cursor::new(bad.as_bytes());
            assert!(Section::parse(&mut cursor).and_then(|_| cursor.end()).is_err(), "{bad}");
        }
    }
}
