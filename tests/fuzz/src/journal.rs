//! A segment of the queue's journal, as a disk in trouble may give it back.

use postkiln_journal::Segment;

/// The octets of a segment file, after eight of its epoch. Records and damage lie in the file and in order, and an end
/// that is named gives no record behind it.
pub fn segment(octets: &[u8]) {
    let Some((epoch, octets)) = octets.split_first_chunk::<8>() else { return };
    let epoch = u64::from_le_bytes(*epoch);
    let whole = Segment::read(octets, epoch, None);
    assert_eq!(whole.entries(octets).count(), whole.records(), "a record that holds no entries");
    let mut before = 0;
    for stretch in whole.damage() {
        assert!(before <= stretch.start && stretch.start < stretch.end, "{stretch:?}");
        assert!(stretch.end <= octets.len() as u64, "{stretch:?} is longer than the file");
        before = stretch.end;
    }
    let half = octets.len() / 2;
    let cut = Segment::read(octets, epoch, Some(half as u64));
    let shorter = octets.get(..half).unwrap_or_default();
    assert_eq!(cut.entries(shorter).count(), cut.records(), "a record behind the end");
}
