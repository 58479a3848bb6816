//! Reading a segment: which records hold, which octets are damage, where the log ends. Pure; takes any octets.

use std::ops::Range;

use crate::entry;
use crate::format::{HEADER, Head, Header, RECORD, decode_head, decode_record, record_size};

/// A segment as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub(crate) head: Head,
    /// Records that were stable once: before the end that a later segment names, or before the last batch.
    pub(crate) stable: Vec<Record>,
    /// The last batch up to its first bad record: perhaps nobody was told of it. Empty when a later segment
    /// names the end.
    pub(crate) last: Vec<Record>,
    /// The offset where the stable part ends.
    pub(crate) stable_end: u64,
    /// Stretches that do not hold although something after them was written later.
    pub(crate) damage: Vec<Range<u64>>,
}

/// A record's place in its segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) at: u64,
    pub(crate) batch: u64,
    pub(crate) batch_start: u64,
    /// The place of its entries.
    pub(crate) entries: Range<usize>,
}

impl Segment {
    /// Reads the segment `epoch`. `end` is where its stable part ends, if a later segment says so; without it the
    /// octets tell: a batch is written when the one before it is stable, so everything before the start of the last
    /// batch that left a trace was stable.
    #[must_use]
    pub fn read(octets: &[u8], epoch: u64, end: Option<u64>) -> Self {
        let head = match Header::decode(octets) {
            Head::Good(header) if header.epoch != epoch => Head::Bad,
            head => head,
        };
        let limit = end.and_then(|end| usize::try_from(end).ok()).map_or(octets.len(), |end| end.min(octets.len()));
        let octets = octets.get(..limit).unwrap_or_default();
        let chance = match head {
            Head::Good(header) => Some(header.chance),
            _ => octets.get(HEADER..).and_then(decode_head).map(|(batch, ..)| batch.chance),
        };
        let (records, mut gaps) = chance.map(|chance| walk(octets, epoch, chance)).unwrap_or_default();
        if let Some(end) = end {
            let read = records.last().map_or(HEADER as u64, Record::end);
            if read < end {
                gaps.push(read..end);
            }
            return Self { head, stable: records, last: Vec::new(), stable_end: end, damage: gaps };
        }
        let stable_end = records.iter().map(|record| record.batch_start).max().unwrap_or(HEADER as u64);
        let (stable, mut last): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| record.at < stable_end);
        let mut expected = stable_end;
        let whole =
            last.iter().take_while(|record| std::mem::replace(&mut expected, record.end()) == record.at).count();
        last.truncate(whole);
        gaps.retain(|gap| gap.start < stable_end);
        Self { head, stable, last, stable_end, damage: gaps }
    }

    /// Whether anybody can have been told of a record in this segment: the batch that was written together with the
    /// header is whole, or there is a later one.
    pub(crate) fn is_joined(&self) -> bool {
        let end = self.last.last().map_or(self.stable_end, Record::end);
        match self.head {
            Head::Good(header) => end >= header.first_end,
            _ => self.stable_end > HEADER as u64,
        }
    }

    /// The number of records that hold.
    #[must_use]
    pub const fn records(&self) -> usize {
        self.stable.len() + self.last.len()
    }

    /// The stretches that are damaged, in octets from the start of the file.
    #[must_use]
    pub fn damage(&self) -> &[Range<u64>] {
        &self.damage
    }

    /// The entries of all records that hold, record by record.
    pub fn entries<'a>(&'a self, octets: &'a [u8]) -> impl Iterator<Item = Vec<entry::Entry>> + 'a {
        self.stable.iter().chain(&self.last).filter_map(|record| {
            let bytes = octets.get(record.entries.clone())?;
            Some(entry::decode(bytes)?.iter().map(|found| found.owned()).collect())
        })
    }
}

impl Record {
    pub(crate) fn end(&self) -> u64 {
        self.at + record_size(self.entries.len()) as u64
    }
}

/// All records of one epoch and chance that hold, and the stretches between them that do not.
fn walk(octets: &[u8], epoch: u64, chance: u64) -> (Vec<Record>, Vec<Range<u64>>) {
    let (mut records, mut gaps): (Vec<Record>, Vec<Range<u64>>) = (Vec::new(), Vec::new());
    let mut at = HEADER;
    let mut bad = None;
    while at + RECORD <= octets.len() {
        match record(octets, at, epoch, chance) {
            Some(record) => {
                gaps.extend(bad.take().map(|start| start..at as u64));
                at += record_size(record.entries.len());
                records.push(record);
            }
            None => {
                bad = bad.or(Some(at as u64));
                at += 8;
            }
        }
    }
    (records, gaps)
}

fn record(octets: &[u8], at: usize, epoch: u64, chance: u64) -> Option<Record> {
    let octets = octets.get(at..)?;
    let offset = at as u64;
    // First the head alone: a content may be full of heads, and summing up after each would take for ever.
    let (batch, ..) = decode_head(octets)?;
    if (batch.epoch, batch.chance) != (epoch, chance) || batch.start > offset || batch.start < HEADER as u64 {
        return None;
    }
    let (_, entries) = decode_record(octets)?;
    let start = at + RECORD;
    let place = start..start + entries.len();
    entry::decode(entries).is_some().then_some(Record {
        at: offset,
        batch: batch.number,
        batch_start: batch.start,
        entries: place,
    })
}
