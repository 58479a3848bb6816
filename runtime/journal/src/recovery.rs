//! Recovery: a start reads the log, by the table in the crate's header.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::entry::{self, Found};
use crate::format::{HEADER, Head, Header};
use crate::log::{Entries, Log, Remains, Reuse, SPARE, segment_name};
use crate::segment::{Record, Segment};
use crate::state::{Lies, State};
use crate::storage::{Folder, Storage};
use crate::{Id, JournalError, Mark};

/// The findings of a start.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// The messages that are not ended, oldest name first.
    pub messages: Vec<Message>,
    /// Everything else that was found, for the log.
    pub findings: Vec<Finding>,
}

/// A message as the log tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message's name.
    pub id: Id,
    /// The envelope, in the caller's form.
    pub envelope: Vec<u8>,
    /// The size of the content in octets.
    pub size: u64,
    /// The last mark of each recipient that has one, by the recipient's place in the envelope.
    pub marks: Vec<(u32, Mark)>,
    /// The caller's notes, oldest first.
    pub notes: Vec<Vec<u8>>,
}

/// A thing that was not simply a part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A segment that was begun when the machine or the process stopped; nobody was told of anything in it. Removed.
    Unfinished(String),
    /// Octets of a segment that were stable once and do not hold any more: a copy of the file is in `damaged/`,
    /// everything else in it counts.
    Damaged(String, Vec<Range<u64>>),
    /// A segment that the log names and that is missing.
    Missing(String),
    /// A message whose large content is missing or has another size.
    Lost(Id),
    /// A large content that no message names: never acknowledged, or ended. Removed.
    Orphan(String),
    /// A thing that is not the journal's: moved to `damaged/`.
    Foreign(String),
    /// A thing that could not be copied, moved or removed, and why; the next start tries again.
    Stuck(String, String),
    /// The disk takes no new segment: what is there can be read, and each later record tries again.
    ReadOnly(String),
}

struct Recovery<'a> {
    storage: &'a dyn Storage,
    state: State,
    envelopes: HashMap<Id, Vec<u8>>,
    remains: Remains,
    findings: Vec<Finding>,
}

/// Reads the log, and begins a new segment with the last batch in it, so that everything that is told is stable.
pub(crate) fn recover(
    storage: &std::sync::Arc<dyn Storage>,
    options: crate::Options,
) -> Result<(Log, Recovered), JournalError> {
    let mut recovery = Recovery {
        storage: storage.as_ref(),
        state: State::default(),
        envelopes: HashMap::new(),
        remains: Remains::default(),
        findings: Vec::new(),
    };
    let epochs = recovery.sort_names(options.segment)?;
    recovery.read_log(&epochs)?;
    let orphans = recovery.check_large()?;
    let Recovery { mut state, mut envelopes, remains, mut findings, .. } = recovery;
    state.ended.clear();
    let mut messages: Vec<Message> = state
        .live
        .iter()
        .map(|(id, live)| Message {
            id: *id,
            envelope: envelopes.remove(id).unwrap_or_default(),
            size: live.content.stored().size,
            marks: live.marks.clone(),
            notes: live.notes.iter().map(|octets| octets.to_vec()).collect(),
        })
        .collect();
    messages.sort_unstable_by_key(|message| message.id);
    let is_new = remains.stable == (0, 0) && remains.carried.is_empty() && remains.superseded.is_empty();
    let mut log = Log::new(storage.clone(), options, state, remains);
    // A new journal begins its first segment with its first record: a header alone says nothing.
    match if is_new { log.keep_spare() } else { log.write(&[]) } {
        // Only now: the end of the messages that they belonged to may have stood in the last batch.
        Ok(()) => findings.extend(orphans.into_iter().map(|name| match storage.remove(Folder::Large, &name) {
            Ok(()) => Finding::Orphan(name),
            Err(error) => Finding::Stuck(name, error.to_string()),
        })),
        Err(error) => findings.push(Finding::ReadOnly(error.to_string())),
    }
    Ok((log, Recovered { messages, findings }))
}

impl Recovery<'_> {
    /// The epochs of the segments; spares are kept, strangers set aside.
    fn sort_names(&mut self, size: u64) -> Result<Vec<u64>, JournalError> {
        let mut epochs = Vec::new();
        for name in self.storage.names(Folder::Log).map_err(JournalError::disk("list", "log"))? {
            let text = name.to_string_lossy().into_owned();
            let spare = text.strip_prefix(SPARE).and_then(number_of);
            if let Some(epoch) = number_of(&text) {
                epochs.push(epoch);
                self.remains.newest = self.remains.newest.max(epoch);
            } else if let Some(number) = spare {
                self.remains.newest = self.remains.newest.max(number);
                let length = self.storage.open(Folder::Log, &text).and_then(|file| file.length());
                if length.is_ok_and(|length| length == size) {
                    self.remains.spares.push(text);
                } else {
                    self.remains.superseded.push(text);
                }
            } else {
                self.set_aside(Folder::Log, &name);
            }
        }
        epochs.sort_unstable();
        Ok(epochs)
    }

    fn set_aside(&mut self, folder: Folder, name: &std::ffi::OsStr) {
        let text = format!("{}/{}", folder.name(), name.to_string_lossy());
        self.findings.push(match self.storage.set_aside(folder, name) {
            Ok(()) => Finding::Foreign(text),
            Err(error) => Finding::Stuck(text, error.to_string()),
        });
    }

    /// Finds the newest segment that counts, follows the names of those before it, and applies all of
    /// them, oldest first.
    fn read_log(&mut self, epochs: &[u64]) -> Result<(), JournalError> {
        let mut newest = None;
        for epoch in epochs.iter().rev() {
            let octets = self.octets(*epoch)?;
            let segment = Segment::read(&octets, *epoch, None);
            known(&segment.head, *epoch)?;
            if segment.is_joined() {
                newest = Some((*epoch, octets, segment));
                break;
            }
            self.findings.push(Finding::Unfinished(segment_name(*epoch)));
        }
        let Some((epoch, octets, segment)) = newest else {
            self.remains.superseded.extend(epochs.iter().copied().map(segment_name));
            return Ok(());
        };
        let older = self.chain(epoch, &segment.head, epochs)?;
        for (epoch, end) in older.iter().rev() {
            let octets = self.octets(*epoch)?;
            let segment = Segment::read(&octets, *epoch, *end);
            self.apply(*epoch, &octets, segment.stable.iter().chain(&segment.last));
            self.report(*epoch, segment.damage);
        }
        self.apply(epoch, &octets, segment.stable.iter().chain(&segment.last));
        self.carry(epoch, &octets, &segment);
        self.report(epoch, segment.damage);
        let chained: BTreeSet<u64> = self.remains.chain.keys().copied().collect();
        let others = epochs.iter().filter(|epoch| !chained.contains(epoch));
        self.remains.superseded.extend(others.copied().map(segment_name));
        Ok(())
    }

    /// The segments before the newest, youngest first, each with the end of its stable part where that is known.
    fn chain(&mut self, newest: u64, head: &Head, epochs: &[u64]) -> Result<Vec<(u64, Option<u64>)>, JournalError> {
        let mut chain = Vec::new();
        let (mut below, mut head) = (newest, *head);
        let mut oldest = if let Head::Good(header) = head { Some(header.oldest) } else { None };
        loop {
            let lower = epochs.iter().copied().rfind(|epoch| *epoch < below);
            let (epoch, end) = match head {
                Head::Good(Header { previous: (0, _), .. }) => break,
                Head::Good(Header { previous: (epoch, end), .. }) => (epoch, Some(end)),
                // A head that cannot be read is damage, and the log goes on before it somewhere.
                _ => match lower {
                    Some(epoch) => (epoch, None),
                    None => break,
                },
            };
            if oldest.is_some_and(|oldest| epoch < oldest) || epoch >= below {
                break;
            }
            below = epoch;
            if epochs.binary_search(&epoch).is_err() {
                self.findings.push(Finding::Missing(segment_name(epoch)));
                head = Head::Bad;
                continue;
            }
            chain.push((epoch, end));
            head = self.head(epoch)?;
            if let (None, Head::Good(header)) = (oldest, head) {
                oldest = Some(header.oldest);
            }
        }
        self.remains.chain.extend(chain.iter().map(|(epoch, _)| (*epoch, Reuse::No)));
        Ok(chain)
    }

    /// Notes where the stable part ends, and takes the last batch along: if it is the only one of its segment, the
    /// whole segment is superseded.
    fn carry(&mut self, epoch: u64, octets: &[u8], segment: &Segment) {
        let entries = |record: &Record| octets.get(record.entries.clone()).map(<[u8]>::to_vec);
        self.remains.carried = segment.last.iter().filter_map(entries).collect::<Vec<Entries>>();
        self.remains.batch =
            segment.last.iter().chain(&segment.stable).map(|record| record.batch + 1).max().unwrap_or_default();
        self.remains.stable = match segment.head {
            Head::Good(header) if segment.stable_end == HEADER as u64 => header.previous,
            _ => {
                self.remains.chain.insert(epoch, Reuse::No);
                (epoch, segment.stable_end)
            }
        };
    }

    fn apply<'r>(&mut self, epoch: u64, octets: &[u8], records: impl Iterator<Item = &'r Record>) {
        for record in records {
            let entries = octets.get(record.entries.clone()).unwrap_or_default();
            let Some(found) = entry::decode(entries) else { continue };
            for entry in &found {
                match entry {
                    Found::Accept { id, envelope, .. } => drop(self.envelopes.insert(*id, envelope.to_vec())),
                    Found::End { id } => drop(self.envelopes.remove(id)),
                    _ => {}
                }
            }
            self.state.apply(epoch, record.at, record.entries.start as u64, found);
        }
    }

    fn report(&mut self, epoch: u64, damage: Vec<Range<u64>>) {
        if damage.is_empty() {
            return;
        }
        let name = segment_name(epoch);
        if let Err(error) = self.storage.copy_aside(Folder::Log, &name) {
            self.findings.push(Finding::Stuck(name.clone(), error.to_string()));
        }
        self.findings.push(Finding::Damaged(name, damage));
    }

    /// Looks whether each large content is there; gives those that no message names.
    fn check_large(&mut self) -> Result<Vec<String>, JournalError> {
        let mut orphans = Vec::new();
        let mut there = BTreeSet::new();
        for name in self.storage.names(Folder::Large).map_err(JournalError::disk("list", "large"))? {
            let Some(id) = name.to_str().and_then(Id::parse) else {
                self.set_aside(Folder::Large, &name);
                continue;
            };
            let Some(Lies::Large(stored)) = self.state.live.get(&id).map(|live| &live.content) else {
                orphans.push(id.to_string());
                continue;
            };
            let length = self.storage.open(Folder::Large, &id.to_string()).and_then(|file| file.length());
            if length.map_err(JournalError::disk("open", &id.to_string()))? == stored.size {
                there.insert(id);
            }
        }
        let is_large = |id: &Id| matches!(self.state.live.get(id).map(|live| &live.content), Some(Lies::Large(_)));
        let mut lost: Vec<Id> =
            self.state.live.keys().filter(|id| is_large(id) && !there.contains(id)).copied().collect();
        lost.sort_unstable();
        self.findings.extend(lost.into_iter().map(Finding::Lost));
        Ok(orphans)
    }

    fn octets(&self, epoch: u64) -> Result<Vec<u8>, JournalError> {
        self.read(epoch, u64::MAX)
    }

    fn head(&self, epoch: u64) -> Result<Head, JournalError> {
        let head = match Header::decode(&self.read(epoch, HEADER as u64)?) {
            Head::Good(header) if header.epoch != epoch => Head::Bad,
            head => head,
        };
        known(&head, epoch)?;
        Ok(head)
    }

    fn read(&self, epoch: u64, most: u64) -> Result<Vec<u8>, JournalError> {
        let name = segment_name(epoch);
        let read = || {
            let file = self.storage.open(Folder::Log, &name)?;
            let mut octets = vec![0; usize::try_from(file.length()?.min(most)).unwrap_or(0)];
            let read = file.read_at(&mut octets, 0)?;
            octets.truncate(read);
            Ok(octets)
        };
        read().map_err(JournalError::disk("read", &name))
    }
}

/// Refuses segments of a newer version.
fn known(head: &Head, epoch: u64) -> Result<(), JournalError> {
    match head {
        Head::Newer(version) => Err(JournalError::Version { name: segment_name(epoch), version: *version }),
        _ => Ok(()),
    }
}

fn number_of(name: &str) -> Option<u64> {
    let is_hex = name.bytes().all(|octet| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet));
    (name.len() == 16 && is_hex).then(|| u64::from_str_radix(name, 16).ok()).flatten()
}
