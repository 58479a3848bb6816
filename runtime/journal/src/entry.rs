//! Entries: what a record says. A record holds one or more, and is there with all of them or not at all.
//!
//! An entry is kind (1), message (16), length of the rest (4), the rest. All numbers are little-endian. Kinds and their
//! rests: `A` accepted: length of the envelope (4), the envelope, the content; `F` accepted with a file of its own:
//! size (8), CRC-32C (4), the envelope; `D` recipient done: recipient (4); `W` recipient deferred: recipient (4),
//! attempts (4), next attempt (8, Unix seconds), text; `N` the caller's; `E` message ended: nothing.

use crate::Id;

/// One thing to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A message is taken; with this entry stable, 250 may be said.
    Accept {
        /// The message's name, which no other has.
        id: Id,
        /// The envelope, in the caller's form.
        envelope: Vec<u8>,
        /// The content, or that it has a file.
        content: Content,
    },
    /// One recipient of a message came further.
    Mark {
        /// The message that this is about.
        id: Id,
        /// The recipient's place in the envelope.
        recipient: u32,
        /// How far it came.
        mark: Mark,
    },
    /// Octets that belong to a message and are kept as long as it.
    Note {
        /// The message that this is about.
        id: Id,
        /// The caller's octets.
        octets: Vec<u8>,
    },
    /// Nothing is left to do for a message.
    End {
        /// The message that this is about.
        id: Id,
    },
}

/// The place of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// In the record.
    Here(Vec<u8>),
    /// In `large/ID`, stable already: only [`Large::finish`](crate::Large::finish) makes one.
    Large(Stored),
}

/// A content that is stable in a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub(crate) size: u64,
    pub(crate) sum: u32,
}

/// How far a recipient came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Delivered, or given up and reported.
    Done,
    /// To be tried again.
    Deferred {
        /// Attempts so far.
        attempts: u32,
        /// The time of the next attempt, in seconds since 1970.
        due: i64,
        /// The reason, for people.
        text: String,
    },
}

/// The octets before an entry's rest.
const HEAD: usize = 21;

impl Entry {
    /// The message that the entry is about.
    #[must_use]
    pub const fn id(&self) -> Id {
        match self {
            Self::Accept { id, .. } | Self::Mark { id, .. } | Self::Note { id, .. } | Self::End { id } => *id,
        }
    }

    pub(crate) const fn is_accept(&self) -> bool {
        matches!(self, Self::Accept { .. })
    }

    pub(crate) fn encode(&self, into: &mut Vec<u8>) {
        let start = into.len();
        let kind = match self {
            Self::Accept { content: Content::Here(_), .. } => b'A',
            Self::Accept { content: Content::Large(_), .. } => b'F',
            Self::Mark { mark: Mark::Done, .. } => b'D',
            Self::Mark { mark: Mark::Deferred { .. }, .. } => b'W',
            Self::Note { .. } => b'N',
            Self::End { .. } => b'E',
        };
        into.push(kind);
        into.extend_from_slice(&self.id().bits().to_le_bytes());
        into.extend_from_slice(&[0; 4]);
        self.encode_rest(into);
        let length = u32::try_from(into.len() - start - HEAD).unwrap_or(u32::MAX);
        if let Some(place) = into.get_mut(start + HEAD - 4..start + HEAD) {
            place.copy_from_slice(&length.to_le_bytes());
        }
    }

    fn encode_rest(&self, into: &mut Vec<u8>) {
        match self {
            Self::Accept { envelope, content: Content::Here(content), .. } => {
                into.extend_from_slice(&u32::try_from(envelope.len()).unwrap_or(u32::MAX).to_le_bytes());
                into.extend_from_slice(envelope);
                into.extend_from_slice(content);
            }
            Self::Accept { envelope, content: Content::Large(stored), .. } => {
                into.extend_from_slice(&stored.size.to_le_bytes());
                into.extend_from_slice(&stored.sum.to_le_bytes());
                into.extend_from_slice(envelope);
            }
            Self::Mark { recipient, mark, .. } => {
                into.extend_from_slice(&recipient.to_le_bytes());
                if let Mark::Deferred { attempts, due, text } = mark {
                    into.extend_from_slice(&attempts.to_le_bytes());
                    into.extend_from_slice(&due.to_le_bytes());
                    into.extend_from_slice(text.as_bytes());
                }
            }
            Self::Note { octets, .. } => into.extend_from_slice(octets),
            Self::End { .. } => {}
        }
    }
}

/// An entry as it lies in a record, with its contents' place there instead of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Accept { id: Id, envelope: &'a [u8], content: FoundContent<'a> },
    Mark { id: Id, recipient: u32, mark: Mark },
    Note { id: Id, octets: &'a [u8] },
    End { id: Id },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FoundContent<'a> {
    /// The offset within the record, and the octets.
    Here(usize, &'a [u8]),
    Large(Stored),
}

/// The entries of a record; `None` when the octets are none.
pub(crate) fn decode(record: &[u8]) -> Option<Vec<Found<'_>>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < record.len() {
        let kind = *record.get(at)?;
        let id = Id::from_bits(u128::from_le_bytes(number(record, at + 1)?));
        let start = at + HEAD;
        let end = start.checked_add(u32::from_le_bytes(number(record, at + 17)?) as usize)?;
        entries.push(found(kind, id, record.get(start..end)?, start)?);
        at = end;
    }
    Some(entries)
}

fn found(kind: u8, id: Id, rest: &[u8], start: usize) -> Option<Found<'_>> {
    let recipient = || Some(u32::from_le_bytes(number(rest, 0)?));
    Some(match kind {
        b'A' => {
            let (envelope, content) = rest.get(4..)?.split_at_checked(u32::from_le_bytes(number(rest, 0)?) as usize)?;
            let from = start + 4 + envelope.len();
            Found::Accept { id, envelope, content: FoundContent::Here(from, content) }
        }
        b'F' => {
            let stored =
                Stored { size: u64::from_le_bytes(number(rest, 0)?), sum: u32::from_le_bytes(number(rest, 8)?) };
            Found::Accept { id, envelope: rest.get(12..)?, content: FoundContent::Large(stored) }
        }
        b'D' if rest.len() == 4 => Found::Mark { id, recipient: recipient()?, mark: Mark::Done },
        b'W' => {
            let text = std::str::from_utf8(rest.get(16..)?).ok()?.to_owned();
            let attempts = u32::from_le_bytes(number(rest, 4)?);
            let due = i64::from_le_bytes(number(rest, 8)?);
            Found::Mark { id, recipient: recipient()?, mark: Mark::Deferred { attempts, due, text } }
        }
        b'N' => Found::Note { id, octets: rest },
        b'E' if rest.is_empty() => Found::End { id },
        _ => return None,
    })
}

impl Found<'_> {
    /// The entry with octets of its own.
    pub(crate) fn owned(&self) -> Entry {
        match self {
            Self::Accept { id, envelope, content } => Entry::Accept {
                id: *id,
                envelope: envelope.to_vec(),
                content: match content {
                    FoundContent::Here(_, content) => Content::Here(content.to_vec()),
                    FoundContent::Large(stored) => Content::Large(stored.clone()),
                },
            },
            Self::Mark { id, recipient, mark } => Entry::Mark { id: *id, recipient: *recipient, mark: mark.clone() },
            Self::Note { id, octets } => Entry::Note { id: *id, octets: octets.to_vec() },
            Self::End { id } => Entry::End { id: *id },
        }
    }
}

pub(crate) fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_and_no_prefix_is_taken_for_more() {
        let id = Id::from_bits(7);
        let deferred = Mark::Deferred { attempts: 3, due: -1, text: "zu spät".to_owned() };
        let entries = [
            Entry::Accept { id, envelope: b"a\0b\0".to_vec(), content: Content::Here(b"x\n".to_vec()) },
            Entry::Accept { id, envelope: Vec::new(), content: Content::Large(Stored { size: 1 << 40, sum: 9 }) },
            Entry::Mark { id, recipient: 1, mark: Mark::Done },
            Entry::Mark { id, recipient: 2, mark: deferred },
            Entry::Note { id, octets: b"note".to_vec() },
            Entry::End { id },
        ];
        let mut record = Vec::new();
        entries.iter().for_each(|entry| entry.encode(&mut record));
        let found: Vec<Entry> = decode(&record).unwrap().iter().map(|entry| entry.owned()).collect();
        assert_eq!(found, entries);
        for cut in 0..record.len() {
            assert!(decode(&record[..cut]).is_none_or(|found| found.len() < entries.len()), "cut at {cut}");
        }
    }
}
