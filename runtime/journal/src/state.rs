//! The messages as the journal knows them, in memory: where each lies and how far its recipients came.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::entry::{Content, Entry, Found, FoundContent, Stored};
use crate::{Checksum, Id, Mark};

/// A message that is not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    /// The segment and the offset of the record that names the message's content.
    pub(crate) epoch: u64,
    pub(crate) at: u64,
    /// The octets that a copy of it takes in the log, about.
    pub(crate) weight: u64,
    pub(crate) content: Lies,
    /// The last mark of each recipient that has one, in the order of recipients: a list, since most messages
    /// have one recipient.
    pub(crate) marks: Vec<(u32, Mark)>,
    pub(crate) notes: Vec<Box<[u8]>>,
}

/// The place of a content on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lies {
    /// In its segment, from this offset of the file.
    Here {
        offset: u64,
        stored: Stored,
    },
    Large(Stored),
}

impl Lies {
    pub(crate) const fn stored(&self) -> &Stored {
        match self {
            Self::Here { stored, .. } | Self::Large(stored) => stored,
        }
    }
}

/// All live messages, and how many of them each segment has.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) live: HashMap<Id, Live>,
    /// Messages and their weight, by epoch; only segments that have any.
    pub(crate) segments: BTreeMap<u64, (usize, u64)>,
    /// Held by those who read a segment: such a file is never used again for others' octets.
    readers: HashMap<u64, Arc<()>>,
    /// Large contents whose message ended and whose file can go.
    pub(crate) ended: Vec<Id>,
}

impl State {
    /// Applies the entries of a record at `at` of segment `epoch`; `entries_at` is the offset of the first of them.
    pub(crate) fn apply(&mut self, epoch: u64, at: u64, entries_at: u64, entries: Vec<Found<'_>>) {
        for entry in entries {
            match entry {
                Found::Accept { id, envelope, content } => {
                    let content = match content {
                        FoundContent::Here(start, octets) => Lies::Here {
                            offset: entries_at + start as u64,
                            stored: Stored { size: octets.len() as u64, sum: Checksum::of(octets) },
                        },
                        FoundContent::Large(stored) => Lies::Large(stored),
                    };
                    self.remove(id);
                    let own = if let Lies::Here { stored, .. } = &content { stored.size } else { 0 };
                    let weight = own + envelope.len() as u64 + WEIGHT;
                    let live = Live { epoch, at, weight, content, marks: Vec::new(), notes: Vec::new() };
                    self.live.insert(id, live);
                    let (count, sum) = self.segments.entry(epoch).or_default();
                    *count += 1;
                    *sum += weight;
                }
                Found::Mark { id, recipient, mark } => {
                    if let Some(live) = self.live.get_mut(&id) {
                        live.mark(recipient, mark);
                    }
                }
                Found::Note { id, octets } => {
                    if let Some(live) = self.live.get_mut(&id) {
                        live.notes.push(octets.into());
                    }
                }
                Found::End { id } => {
                    if let Some(Live { content: Lies::Large(_), .. }) = self.remove(id) {
                        self.ended.push(id);
                    }
                }
            }
        }
    }

    fn remove(&mut self, id: Id) -> Option<Live> {
        let live = self.live.remove(&id)?;
        if let Some((count, weight)) = self.segments.get_mut(&live.epoch) {
            *count -= 1;
            *weight = weight.saturating_sub(live.weight);
            if *count == 0 {
                self.segments.remove(&live.epoch);
            }
        }
        Some(live)
    }

    /// The oldest segment that a message lies in.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.segments.keys().next().copied()
    }

    pub(crate) fn weight(&self) -> u64 {
        self.segments.values().map(|(_, weight)| weight).sum()
    }

    /// The messages of a segment, in the order of their places.
    pub(crate) fn of_segment(&self, epoch: u64) -> Vec<Id> {
        let mut found: Vec<(u64, Id)> =
            self.live.iter().filter(|(_, live)| live.epoch == epoch).map(|(id, live)| (live.at, *id)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// A token for a reader of a segment.
    pub(crate) fn reading(&mut self, epoch: u64) -> Arc<()> {
        Arc::clone(self.readers.entry(epoch).or_default())
    }

    /// Whether somebody may still read the segment; forgets it.
    pub(crate) fn was_read(&mut self, epoch: u64) -> bool {
        self.readers.remove(&epoch).is_some_and(|token| Arc::strong_count(&token) > 1)
    }
}

impl Live {
    fn mark(&mut self, recipient: u32, mark: Mark) {
        match self.marks.binary_search_by_key(&recipient, |(marked, _)| *marked) {
            Ok(at) => {
                if let Some((_, place)) = self.marks.get_mut(at) {
                    *place = mark;
                }
            }
            Err(at) => {
                if self.marks.is_empty() {
                    self.marks.reserve_exact(1);
                }
                self.marks.insert(at, (recipient, mark));
            }
        }
    }

    /// The entries that say the whole of a message again, from its envelope and content and what is known of it.
    pub(crate) fn entries(&self, id: Id, envelope: Vec<u8>, content: Content) -> Vec<Entry> {
        let mut entries = vec![Entry::Accept { id, envelope, content }];
        entries.extend(self.marks.iter().map(|(recipient, mark)| Entry::Mark {
            id,
            recipient: *recipient,
            mark: mark.clone(),
        }));
        entries.extend(self.notes.iter().map(|octets| Entry::Note { id, octets: octets.to_vec() }));
        entries
    }
}

/// The octets around a message in the log, about.
const WEIGHT: u64 = 96;
