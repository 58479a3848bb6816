//! The UID list's text: a header and one record per line, each ending with a checksum of the text before it.
//!
//! ```text
//! postkiln-uidlist 1 UIDVALIDITY UIDNEXT CRC
//! UID WIRE-SIZE INTERNAL-DATE UNIQUE-NAME CRC
//! ```
//!
//! A last line without its end was never told to a client and is dropped. Any other damage may have hit UIDs that were:
//! then the whole list is lost, and UIDVALIDITY changes.

use std::fmt::Write;

use crc::{CRC_32_ISO_HDLC, Crc};

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UidList {
    pub(crate) validity: u32,
    /// The next UID, greater than every UID given so far.
    pub(crate) next: u32,
    /// The records, ascending by UID.
    pub(crate) records: Vec<Record>,
}

/// One message that has a UID; its file may be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) uid: u32,
    pub(crate) wire_size: u64,
    pub(crate) internal_date: i64,
    pub(crate) unique: String,
}

impl UidList {
    /// Reads a whole file; gives the number of sound octets, too.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = bytes.iter().position(|b| *b == b'\n')? + 1;
        let fields: Vec<&str> = checked(bytes.get(..end)?)?.split(' ').collect();
        let ["postkiln-uidlist", "1", validity, next] = fields.as_slice() else { return None };
        let mut list = Self { validity: validity.parse().ok()?, next: next.parse().ok()?, records: Vec::new() };
        let sound = list.extend(bytes.get(end..)?)?;
        Some((list, end + sound))
    }

    /// Reads records that were appended; gives the octets that are sound, or `None` when told UIDs are lost.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut sound = 0;
        let mut last = self.records.last().map_or(0, |record| record.uid);
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            match Record::parse(line) {
                Some(record) if record.uid <= last => return None,
                Some(record) => {
                    sound += line.len();
                    last = record.uid;
                    self.next = self.next.max(record.uid.checked_add(1)?);
                    self.records.push(record);
                }
                None if line.ends_with(b"\n") => return None,
                None => {}
            }
        }
        Some(sound)
    }

    /// The text of the whole file.
    pub(crate) fn print(&self) -> String {
        let mut text = sealed(&format!("postkiln-uidlist 1 {} {}", self.validity, self.next));
        for record in &self.records {
            text.push_str(&record.print());
        }
        text
    }
}

impl Record {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = checked(line)?.splitn(4, ' ');
        Some(Self {
            uid: fields.next()?.parse().ok().filter(|uid| *uid > 0)?,
            wire_size: fields.next()?.parse().ok()?,
            internal_date: fields.next()?.parse().ok()?,
            unique: fields.next().filter(|name| !name.is_empty())?.to_owned(),
        })
    }

    /// The record's line.
    pub(crate) fn print(&self) -> String {
        sealed(&format!("{} {} {} {}", self.uid, self.wire_size, self.internal_date, self.unique))
    }
}

/// The line with its checksum and line end.
fn sealed(line: &str) -> String {
    let mut text = line.to_owned();
    // Writing to a String does not fail.
    let _ = writeln!(text, " {:08x}", crc32(line.as_bytes()));
    text
}

/// The line without its checksum, when that is right.
fn checked(line: &[u8]) -> Option<&str> {
    let (text, sum) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.rsplit_once(' ')?;
    (sum.len() == 8 && u32::from_str_radix(sum, 16).ok()? == crc32(text.as_bytes())).then_some(text)
}

/// CRC-32 as in IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    IEEE.checksum(bytes)
}

static IEEE: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> UidList {
        let record = |uid: u32| Record {
            uid,
            wire_size: u64::from(uid) * 10,
            internal_date: -5,
            unique: format!("{uid}.M1 with a space,S=3"),
        };
        UidList { validity: 77, next: 10, records: vec![record(1), record(5), record(9)] }
    }

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn what_is_printed_is_read() {
        let text = sample().print();
        assert_eq!(UidList::parse(text.as_bytes()), Some((sample(), text.len())));
    }

    #[test]
    fn every_prefix_of_a_file_gives_its_whole_records() {
        let text = sample().print();
        let header = text.find('\n').unwrap() + 1;
        for cut in 0..text.len() {
            let parsed = UidList::parse(&text.as_bytes()[..cut]);
            if cut < header {
                assert_eq!(parsed, None, "cut at {cut}");
                continue;
            }
            let lines = text[..cut].matches('\n').count() - 1;
            let (list, sound) = parsed.unwrap();
            assert_eq!(list.records, sample().records[..lines], "cut at {cut}");
            assert_eq!(sound, text[..cut].rfind('\n').unwrap() + 1, "cut at {cut}");
        }
    }

    #[test]
    fn damage_loses_the_list() {
        let text = sample().print();
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(UidList::parse(&bytes), None, "at {at}");
        }
    }

    #[test]
    fn uids_ascend() {
        let mut list = sample();
        list.records.swap(0, 1);
        assert_eq!(UidList::parse(list.print().as_bytes()), None);
    }
}
