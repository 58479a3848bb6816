//! The criteria of SEARCH (RFC 3501 §6.4.4), and whether a message meets them: first by the view's knowledge, then by
//! the parts that were read of the message.

use postkiln_mail::Flags;

use crate::cursor::{Bad, Cursor};
use crate::date;
use crate::haystack::Haystack;
use crate::question::{Entry, Part};
use crate::sequence::SequenceSet;

/// A criterion of SEARCH.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Key {
    All,
    Flag(Flags),
    Recent,
    /// Keywords are not kept: no message has one.
    Never,
    Sequence(SequenceSet),
    Uid(SequenceSet),
    Larger(u64),
    Smaller(u64),
    /// Days since 1970 of arrival.
    Arrived(When, i64),
    /// Of the Date field.
    Sent(When, i64),
    /// A field contains this, in lower case.
    Header(String, String),
    Body(String),
    Text(String),
    Not(Box<Key>),
    Or(Box<Key>, Box<Key>),
    And(Vec<Key>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    On,
    Since,
}

/// The arguments of SEARCH.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Search {
    For(Key),
    /// In a character set that we do not know.
    Charset,
}

/// `search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key)`
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Search, Bad> {
    cursor.space()?;
    if cursor.word("CHARSET") {
        cursor.space()?;
        let charset = cursor.astring()?;
        if ![&b"US-ASCII"[..], b"UTF-8"].iter().any(|known| charset.eq_ignore_ascii_case(known)) {
            cursor.while_octets(|_| true);
            return Ok(Search::Charset);
        }
        cursor.space()?;
    }
    let mut keys = vec![key(cursor, DEEPEST)?];
    while cursor.take(b' ') {
        keys.push(key(cursor, DEEPEST)?);
    }
    Ok(Search::For(Key::And(keys)))
}

/// `search-key`
fn key(cursor: &mut Cursor<'_>, depth: u32) -> Result<Key, Bad> {
    let depth = depth.checked_sub(1).ok_or("the search is nested too deeply")?;
    match cursor.peek() {
        Some(b'(') => return Ok(Key::And(cursor.list(|cursor| key(cursor, depth))?)),
        Some(b'*' | b'0'..=b'9') => return SequenceSet::parse(cursor).map(Key::Sequence),
        _ => {}
    }
    let word = cursor.atom()?.to_ascii_uppercase();
    if let Some(flag) = flag_key(&word) {
        return Ok(flag);
    }
    if word == "ALL" {
        return Ok(Key::All);
    }
    cursor.space()?;
    Ok(match word.as_str() {
        "NOT" => Key::Not(Box::new(key(cursor, depth)?)),
        "OR" => {
            let first = key(cursor, depth)?;
            cursor.space()?;
            Key::Or(Box::new(first), Box::new(key(cursor, depth)?))
        }
        "UID" => Key::Uid(SequenceSet::parse(cursor)?),
        "LARGER" => Key::Larger(cursor.number64()?),
        "SMALLER" => Key::Smaller(cursor.number64()?),
        "BEFORE" => Key::Arrived(When::Before, date::date(cursor)?),
        "ON" => Key::Arrived(When::On, date::date(cursor)?),
        "SINCE" => Key::Arrived(When::Since, date::date(cursor)?),
        "SENTBEFORE" => Key::Sent(When::Before, date::date(cursor)?),
        "SENTON" => Key::Sent(When::On, date::date(cursor)?),
        "SENTSINCE" => Key::Sent(When::Since, date::date(cursor)?),
        "BCC" | "CC" | "FROM" | "SUBJECT" | "TO" => Key::Header(word, needle(cursor)?),
        "HEADER" => {
            let name = String::from_utf8_lossy(&cursor.astring()?).into_owned();
            cursor.space()?;
            Key::Header(name, needle(cursor)?)
        }
        "BODY" => Key::Body(needle(cursor)?),
        "TEXT" => Key::Text(needle(cursor)?),
        "KEYWORD" => cursor.atom().map(|_| Key::Never)?,
        "UNKEYWORD" => cursor.atom().map(|_| Key::All)?,
        _ => return Err("a search key is unknown"),
    })
}

fn flag_key(word: &str) -> Option<Key> {
    let not = |key| Key::Not(Box::new(key));
    Some(match word {
        "RECENT" => Key::Recent,
        "OLD" => not(Key::Recent),
        "NEW" => Key::And(vec![Key::Recent, not(Key::Flag(Flags::SEEN))]),
        _ => {
            let (name, set) = word.strip_prefix("UN").map_or((word, true), |name| (name, false));
            let flag = Key::Flag(Flags::named(&format!("\\{name}"))?);
            if set { flag } else { not(flag) }
        }
    })
}

/// Case does not matter (§6.4.4).
fn needle(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    Ok(String::from_utf8_lossy(&cursor.astring()?).to_lowercase())
}

impl Key {
    /// Whether a message fits; `None` when it has to be read first, as far as `needs` says.
    pub(crate) fn fits(&self, subject: &Subject<'_>) -> Option<bool> {
        let entry = subject.entry;
        match self {
            Self::All => Some(true),
            Self::Never => Some(false),
            Self::Flag(flag) => Some(entry.flags.contains(*flag)),
            Self::Recent => Some(entry.recent),
            Self::Sequence(set) => Some(set.contains(subject.number, subject.count)),
            Self::Uid(set) => Some(set.contains(entry.uid, subject.largest_uid)),
            Self::Larger(size) => Some(entry.size > *size),
            Self::Smaller(size) => Some(entry.size < *size),
            Self::Arrived(when, day) => Some(when.fits(entry.internal_date.div_euclid(86_400), *day)),
            Self::Sent(when, day) => {
                subject.content.map(|content| content.sent().is_some_and(|sent| when.fits(sent, *day)))
            }
            Self::Header(name, needle) => subject.content.map(|content| content.header_contains(name, needle)),
            Self::Body(needle) => subject.whole().map(|content| content.body_contains(needle)),
            Self::Text(needle) => subject.whole().map(|content| content.text_contains(needle)),
            Self::Not(key) => key.fits(subject).map(|fits| !fits),
            Self::Or(one, other) => match (one.fits(subject), other.fits(subject)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::And(keys) => {
                let mut all = Some(true);
                for key in keys {
                    match key.fits(subject) {
                        Some(true) => {}
                        Some(false) => return Some(false),
                        None => all = None,
                    }
                }
                all
            }
        }
    }

    /// How much of a message may be needed.
    pub(crate) fn needs(&self) -> Option<Part> {
        match self {
            Self::Body(_) | Self::Text(_) => Some(Part::Whole),
            Self::Header(..) | Self::Sent(..) => Some(Part::Header),
            Self::Not(key) => key.needs(),
            Self::Or(one, other) => larger(one.needs(), other.needs()),
            Self::And(keys) => keys.iter().map(Self::needs).fold(None, larger),
            _ => None,
        }
    }
}

const fn larger(one: Option<Part>, other: Option<Part>) -> Option<Part> {
    match (one, other) {
        (Some(Part::Whole), _) | (_, Some(Part::Whole)) => Some(Part::Whole),
        (Some(Part::Header), _) | (_, Some(Part::Header)) => Some(Part::Header),
        (None, None) => None,
    }
}

impl When {
    const fn fits(self, day: i64, than: i64) -> bool {
        match self {
            Self::Before => day < than,
            Self::On => day == than,
            Self::Since => day >= than,
        }
    }
}

/// A message that is judged.
pub(crate) struct Subject<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) number: u32,
    pub(crate) count: u32,
    pub(crate) largest_uid: u32,
    pub(crate) content: Option<&'a Haystack<'a>>,
    pub(crate) is_whole: bool,
}

impl Subject<'_> {
    fn whole(&self) -> Option<&Haystack<'_>> {
        self.content.filter(|_| self.is_whole)
    }
}

const DEEPEST: u32 = 32;
#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] =
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nFrom: Ada <ada@x.org>\r\nDate: Sun, 1 Feb 2026 23:30:00 \
        -0800\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8gV29ybGQ=\r\n";

    fn check(search: &str, fits: Option<bool>) {
        let mut cursor = Cursor::new(search.as_bytes());
        let parsed = parse(&mut cursor).and_then(|parsed| cursor.end().map(|()| parsed));
        let Ok(Search::For(key)) = parsed else { return assert_eq!(fits, None, "{search}: {parsed:?}") };
        let entry = Entry { uid: 7, flags: Flags::SEEN, recent: true, size: 100, internal_date: 86_400 * 20_000 + 5 };
        let content = Haystack::new(MAIL);
        let subject =
            Subject { entry: &entry, number: 2, count: 3, largest_uid: 9, content: Some(&content), is_whole: true };
        assert_eq!(key.fits(&subject), fits, "{search}");
    }

    #[test]
    fn keys() {
        for search in [
            " ALL",
            " SEEN RECENT",
            " UNANSWERED",
            " NOT DELETED",
            " OR DELETED SEEN",
            " (SEEN UNDRAFT)",
            " 2",
            " *:2",
            " UID 7:*",
            " LARGER 99 SMALLER 101",
            " SINCE 4-Oct-2024",
            " ON 4-Oct-2024",
            " BEFORE \"5-Oct-2024\"",
            " SENTON 1-Feb-2026",
            " SUBJECT \"gr\u{fc}\"",
            " FROM ADA@",
            " HEADER subject \"\"",
            " BODY \"hello world\"",
            " TEXT ada",
            " UNKEYWORD $x",
            " CHARSET utf-8 SUBJECT \"\u{df}E\"",
        ] {
            check(search, Some(true));
        }
        for search in [
            " UNSEEN",
            " NEW",
            " KEYWORD $x",
            " 3",
            " UID 8",
            " SUBJECT x",
            " HEADER X-None \"\"",
            " BODY ada",
            " SENTBEFORE 1-Feb-2026",
        ] {
            check(search, Some(false));
        }
        let nested = format!(" {}ALL", "NOT ".repeat(100));
        for bad in
            ["", " ", " X", " NOT", " OR SEEN", " (SEEN", " SUBJECT", " ON 40-Oct-2024", " CHARSET x ALL", &nested]
        {
            check(bad, None);
        }
    }
}
