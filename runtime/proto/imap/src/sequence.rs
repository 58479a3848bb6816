//! Sets of sequence numbers and UIDs (RFC 3501 §9 sequence-set).

use crate::cursor::{Bad, Cursor};

/// Ranges as written; `None` is `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SequenceSet(Vec<(Option<u32>, Option<u32>)>);

impl SequenceSet {
    /// `sequence-set = (seq-number / seq-range) *("," sequence-set)`
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let mut ranges = Vec::new();
        loop {
            let first = Self::bound(cursor)?;
            let last = if cursor.take(b':') { Self::bound(cursor)? } else { first };
            ranges.push((first, last));
            if !cursor.take(b',') {
                return Ok(Self(ranges));
            }
        }
    }

    /// `seq-number = nz-number / "*"`
    fn bound(cursor: &mut Cursor<'_>) -> Result<Option<u32>, Bad> {
        if cursor.take(b'*') { Ok(None) } else { cursor.nonzero().map(Some) }
    }

    /// Ascending ranges that do not meet, with `*` being `largest`.
    pub(crate) fn ranges(&self, largest: u32) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = self
            .0
            .iter()
            .map(|(first, last)| (first.unwrap_or(largest), last.unwrap_or(largest)))
            .map(|(first, last)| (first.min(last), first.max(last)))
            .collect();
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        merged
    }

    /// Whether a number written in it is over `count`, which no sequence number may be; a range to `*` may
    /// begin above it.
    pub(crate) fn exceeds(&self, count: u32) -> bool {
        self.0.iter().any(|range| matches!(range, (Some(first), Some(last)) if *first > count || *last > count))
    }

    pub(crate) fn contains(&self, number: u32, largest: u32) -> bool {
        self.0.iter().any(|(first, last)| {
            let (first, last) = (first.unwrap_or(largest), last.unwrap_or(largest));
            (first.min(last)..=first.max(last)).contains(&number)
        })
    }
}

/// Ascending numbers as a set: `1:3,7`.
pub(crate) fn printed(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(number) => *end = number,
            _ => ranges.push((number, number)),
        }
    }
    let text = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}:{last}") };
    ranges.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_ordered_and_merged() {
        let set = SequenceSet::parse(&mut Cursor::new(b"5,2:4,9:*,*:7")).unwrap();
        assert_eq!(set.ranges(8), [(2, 5), (7, 9)]);
        assert!(set.contains(9, 8) && !set.contains(6, 8));
        assert!(set.exceeds(4) && !set.exceeds(5));
        assert_eq!(printed([1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        for bad in ["", "0", "1:", ",1", "1,,2", "4294967296"] {
            let mut cursor = Cursor::new(bad.as_bytes());
            assert!(SequenceSet::parse(&mut cursor).and_then(|_| cursor.end()).is_err(), "{bad:?}");
        }
    }
}
