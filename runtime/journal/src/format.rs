//! The octets of a segment: a header, then records in batches. All numbers are little-endian.
//!
//! The header (80 octets): mark (8), version (4), zero (4), the segment's epoch (8), its chance (8), epoch and end of
//! the segment before it (8 + 8), the oldest epoch that still counts (8), the end of its first batch (8), the number of
//! that batch (8), zero (4), CRC-32C of all before it (4).
//!
//! A record begins at a multiple of eight octets: mark (4), length of its entries (4), epoch (8), chance (8), batch
//! (8), the offset at which its batch begins (8), CRC-32C of the entries (4), CRC-32C of the 44 octets before it (4),
//! the entries. Chance makes records of one segment unlike those of any other, and unlike everything that a stranger
//! can put into a content.

use crate::Checksum;
use crate::entry::number;

pub(crate) const HEADER: usize = 80;
pub(crate) const RECORD: usize = 48;
const MARK: &[u8; 8] = b"postkiln";
const RECORD_MARK: [u8; 4] = *b"\nPKr";
const VERSION: u32 = 1;

/// A segment's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) epoch: u64,
    pub(crate) chance: u64,
    /// The stable part of the log before this segment: epoch and the offset where it ends. Epoch 0: nothing before it.
    pub(crate) previous: (u64, u64),
    /// Segments with lower epochs hold nothing that counts.
    pub(crate) oldest: u64,
    /// The end of the batch that was written together with the header.
    pub(crate) first_end: u64,
    pub(crate) batch: u64,
}

/// The kinds of first octets of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Good(Header),
    Newer(u32),
    Bad,
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = MARK.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        let numbers =
            [self.epoch, self.chance, self.previous.0, self.previous.1, self.oldest, self.first_end, self.batch];
        for number in numbers {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 4]);
        let seal = Checksum::of(&bytes);
        bytes.extend_from_slice(&seal.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Head {
        let sealed = || {
            let seal = u32::from_le_bytes(number(bytes, HEADER - 4)?);
            let sealed = bytes.get(..HEADER - 4)?;
            (sealed.starts_with(MARK) && Checksum::of(sealed) == seal).then_some(sealed)
        };
        let Some(sealed) = sealed() else { return Head::Bad };
        let word = |at: usize| number(sealed, at).map(u64::from_le_bytes);
        let header = || {
            Some(Self {
                epoch: word(16)?,
                chance: word(24)?,
                previous: (word(32)?, word(40)?),
                oldest: word(48)?,
                first_end: word(56)?,
                batch: word(64)?,
            })
        };
        match number(sealed, 8).map(u32::from_le_bytes) {
            Some(VERSION) => header().map_or(Head::Bad, Head::Good),
            Some(version) => Head::Newer(version),
            None => Head::Bad,
        }
    }
}

/// The part of a record's head that is the same in all of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) epoch: u64,
    pub(crate) chance: u64,
    pub(crate) number: u64,
    /// The offset of its first record.
    pub(crate) start: u64,
}

/// The octets that a record with such entries takes.
pub(crate) const fn record_size(entries: usize) -> usize {
    (RECORD + entries).next_multiple_of(8)
}

pub(crate) fn encode_record(batch: &Batch, entries: &[u8], into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&RECORD_MARK);
    into.extend_from_slice(&u32::try_from(entries.len()).unwrap_or(u32::MAX).to_le_bytes());
    for number in [batch.epoch, batch.chance, batch.number, batch.start] {
        into.extend_from_slice(&number.to_le_bytes());
    }
    into.extend_from_slice(&Checksum::of(entries).to_le_bytes());
    let seal = Checksum::of(into.get(start..).unwrap_or_default());
    into.extend_from_slice(&seal.to_le_bytes());
    into.extend_from_slice(entries);
    into.resize(start + record_size(entries.len()), 0);
}

/// A record's batch and the length of its entries, when a sealed record begins the octets.
pub(crate) fn decode_head(bytes: &[u8]) -> Option<(Batch, usize, u32)> {
    if !bytes.starts_with(&RECORD_MARK) {
        return None;
    }
    let seal = u32::from_le_bytes(number(bytes, RECORD - 4)?);
    if Checksum::of(bytes.get(..RECORD - 4)?) != seal {
        return None;
    }
    let word = |at: usize| number(bytes, at).map(u64::from_le_bytes);
    let batch = Batch { epoch: word(8)?, chance: word(16)?, number: word(24)?, start: word(32)? };
    Some((batch, u32::from_le_bytes(number(bytes, 4)?) as usize, u32::from_le_bytes(number(bytes, 40)?)))
}

/// The entries of the record that begins the octets, when all of it holds.
pub(crate) fn decode_record(bytes: &[u8]) -> Option<(Batch, &[u8])> {
    let (batch, length, sum) = decode_head(bytes)?;
    let entries = bytes.get(RECORD..RECORD.checked_add(length)?)?;
    (Checksum::of(entries) == sum).then_some((batch, entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_octet_breaks_header_and_record() {
        let header = Header { epoch: 1, chance: 2, previous: (3, 4), oldest: 5, first_end: 6, batch: 7 };
        let bytes = header.encode();
        assert_eq!((bytes.len(), Header::decode(&bytes)), (HEADER, Head::Good(header)));
        let batch = Batch { epoch: 1, chance: 2, number: 3, start: 80 };
        let mut record = Vec::new();
        encode_record(&batch, b"entries", &mut record);
        assert_eq!((record.len(), decode_record(&record)), (56, Some((batch, &b"entries"[..]))));
        for at in 0..HEADER {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            assert_eq!(Header::decode(&changed), Head::Bad, "octet {at}");
        }
        for at in 0..RECORD + 7 {
            let mut changed = record.clone();
            changed[at] ^= 0x20;
            assert_eq!(decode_record(&changed), None, "octet {at}");
        }
    }
}
