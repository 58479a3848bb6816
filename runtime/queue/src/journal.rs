//! Marks behind the content: which recipients are done, which were deferred and why.
//!
//! A record is kind (1), recipient (4), attempts (4), length of the text (2), the text, CRC-32C (4) of all before it.
//! The first record that does not hold ends the journal. Kinds: `D` done; `W` deferred, the text begins with the time
//! of the next attempt (8, Unix seconds); `Z` deferred, without a time (written by earlier versions).

use std::time::SystemTime;

use crate::entry::number;
use crate::message::{Recipient, from_unix_seconds, unix_seconds};
use postkiln_journal::Checksum;

/// One mark of the journal, about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    kind: u8,
    recipient: u32,
    attempts: u32,
    text: Vec<u8>,
}

const HEAD: usize = 11;
const LONGEST_TEXT: usize = 2000;

impl Record {
    pub(crate) fn done(recipient: usize) -> Self {
        Self { kind: b'D', recipient: index(recipient), attempts: 0, text: Vec::new() }
    }

    pub(crate) fn deferred(recipient: usize, attempts: u32, due: SystemTime, text: &str) -> Self {
        let mut bytes = unix_seconds(due).to_le_bytes().to_vec();
        bytes.extend_from_slice(text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or_default().as_bytes());
        Self { kind: b'W', recipient: index(recipient), attempts, text: bytes }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = u16::try_from(self.text.len()).unwrap_or(0);
        let mut bytes = vec![self.kind];
        bytes.extend_from_slice(&self.recipient.to_le_bytes());
        bytes.extend_from_slice(&self.attempts.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&self.text);
        let sum = Checksum::of(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The first record and its length.
    fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let kind = *bytes.first()?;
        let length = usize::from(u16::from_le_bytes(number(bytes, 9)?));
        let end = HEAD + length;
        let text = bytes.get(HEAD..end)?;
        let sum = u32::from_le_bytes(number(bytes, end)?);
        if !matches!(kind, b'D' | b'W' | b'Z') || sum != Checksum::of(bytes.get(..end)?) {
            return None;
        }
        let record = Self {
            kind,
            recipient: u32::from_le_bytes(number(bytes, 1)?),
            attempts: u32::from_le_bytes(number(bytes, 5)?),
            text: text.to_vec(),
        };
        Some((record, end + 4))
    }

    fn apply(self, recipients: &mut [Recipient]) {
        let Some(entry) = usize::try_from(self.recipient).ok().and_then(|at| recipients.get_mut(at)) else { return };
        match self.kind {
            b'D' => entry.done = true,
            b'W' => {
                let Some((due, text)) = self.text.split_first_chunk::<8>() else { return };
                entry.due = from_unix_seconds(i64::from_le_bytes(*due));
                entry.defer(self.attempts, text);
            }
            _ => entry.defer(self.attempts, &self.text),
        }
    }
}

impl Recipient {
    fn defer(&mut self, attempts: u32, text: &[u8]) {
        self.attempts = attempts;
        self.text = String::from_utf8_lossy(text).into_owned();
    }
}

/// Applies every whole record; returns the octets they take.
pub(crate) fn replay(bytes: &[u8], recipients: &mut [Recipient]) -> usize {
    let mut end = 0;
    while let Some((record, length)) = bytes.get(end..).and_then(Record::decode) {
        record.apply(recipients);
        end += length;
    }
    end
}

fn index(recipient: usize) -> u32 {
    u32::try_from(recipient).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_replays_its_whole_records() {
        let due = |seconds: i64| from_unix_seconds(1_700_000_000 + seconds).unwrap();
        let first = Record::deferred(0, 1, due(400), "connection refused");
        let records = [first, Record::done(1), Record::deferred(0, 2, due(1600), "again")];
        let encoded: Vec<Vec<u8>> = records.iter().map(Record::encode).collect();
        let bytes = encoded.concat();
        for cut in 0..=bytes.len() {
            let mut recipients = vec![Recipient::default(), Recipient::default()];
            let taken = replay(&bytes[..cut], &mut recipients);
            let ends: Vec<usize> = encoded
                .iter()
                .scan(0, |end, record| {
                    *end += record.len();
                    Some(*end)
                })
                .collect();
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(taken, if whole == 0 { 0 } else { ends[whole - 1] });
            assert_eq!(recipients[1].done, whole >= 2);
            assert_eq!(recipients[0].text, ["", "connection refused", "connection refused", "again"][whole]);
            assert_eq!(recipients[0].due, [None, Some(due(400)), Some(due(400)), Some(due(1600))][whole]);
        }
    }

    #[test]
    fn a_deferral_of_an_earlier_version_has_no_time() {
        let record = Record { kind: b'Z', recipient: 0, attempts: 3, text: b"busy".to_vec() };
        let mut recipients = [Recipient::default()];
        replay(&record.encode(), &mut recipients);
        assert_eq!(recipients, [Recipient { attempts: 3, text: "busy".to_owned(), ..Recipient::default() }]);
    }

    #[test]
    fn zeros_are_no_records() {
        assert_eq!(replay(&[0; 64], &mut [Recipient::default()]), 0);
    }
}
