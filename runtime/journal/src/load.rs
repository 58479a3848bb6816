//! A load for the journal over a disk in memory: what it tried, what it was told, and whether a
//! recovered journal agrees.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::disk::{Chance, Disk, Op};
use crate::log::Log;
use crate::recovery::{Finding, Message, Recovered, recover};
use crate::storage::Storage;
use crate::{Content, Entry, Id, JournalError, Large, Mark, Options, Pending, request, writer};

/// A message of the load and its content.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) content: Vec<u8>,
}

pub(crate) struct Load {
    pub(crate) disk: Disk,
    pub(crate) log: Option<Log>,
    pub(crate) events: Vec<Entry>,
    pub(crate) made: BTreeMap<Id, Made>,
    /// Messages that were accepted and not tried to end.
    pub(crate) open: Vec<Id>,
    /// Messages of the batch that is being made: one that ended in it would not be missed.
    new: Vec<Id>,
    chance: Chance,
    next: u128,
}

/// Segments that are full after a few batches.
pub(crate) const SMALL: Options = Options { segment: 4096 };

impl Load {
    pub(crate) fn new(disk: Disk, seed: u64) -> Self {
        let (events, made, open) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { disk, log: None, events, made, open, new: Vec::new(), chance: Chance(seed), next: 1 }
    }

    /// Opens the journal, and takes what is told then for told. Tries again after a failure, as a supervisor does.
    pub(crate) fn open(&mut self) -> bool {
        let storage: Arc<dyn Storage> = Arc::new(self.disk.clone());
        for _ in 0..2 {
            if let Ok((log, recovered)) = recover(&storage, SMALL) {
                let is_writable = !recovered.findings.iter().any(|found| matches!(found, Finding::ReadOnly(_)));
                if is_writable {
                    self.take_for_told(&recovered.messages);
                }
                self.log = Some(log);
                return true;
            }
        }
        false
    }

    fn take_for_told(&mut self, messages: &[Message]) {
        for message in messages {
            for (number, event) in self.events.iter().enumerate() {
                let is_there = match event {
                    Entry::Accept { id, .. } => *id == message.id,
                    Entry::Mark { id, recipient, mark } => {
                        *id == message.id && message.marks.contains(&(*recipient, mark.clone()))
                    }
                    Entry::Note { id, octets } => *id == message.id && message.notes.contains(octets),
                    Entry::End { .. } => false,
                };
                if is_there {
                    self.disk.note(Op::Told(number));
                }
            }
        }
        for (number, event) in self.events.iter().enumerate() {
            if matches!(event, Entry::End { id } if !messages.iter().any(|message| message.id == *id)) {
                self.disk.note(Op::Told(number));
            }
        }
    }

    /// So many batches of one to four records.
    pub(crate) fn run(&mut self, batches: usize) {
        for _ in 0..batches {
            let count = 1 + self.chance.below(4);
            let records: Vec<Vec<Entry>> = (0..count).filter_map(|number| self.record(number == 0)).collect();
            self.commit(records);
            self.open.append(&mut self.new);
        }
    }

    /// Hands records over as one batch; gives the answers.
    pub(crate) fn commit(&mut self, records: Vec<Vec<Entry>>) -> Vec<Result<(), JournalError>> {
        let Some(log) = &mut self.log else { return Vec::new() };
        let mut waiting = VecDeque::new();
        let mut pending: Vec<(usize, usize, Pending)> = Vec::new();
        for entries in records {
            let (request, answer) = request(&entries, SMALL.longest()).unwrap();
            let first = self.events.len();
            for entry in entries {
                self.disk.note(Op::Tried(self.events.len()));
                self.events.push(entry);
            }
            waiting.push_back(request);
            pending.push((first, self.events.len(), answer));
        }
        let mut answers: Vec<Option<Result<(), JournalError>>> = vec![None; pending.len()];
        while !waiting.is_empty() {
            writer::commit(log, &mut waiting);
            // After each batch, since the sync of a later one would cover for one that was missed.
            for ((first, end, pending), answer) in pending.iter_mut().zip(&mut answers) {
                let Ok(result) = pending.0.try_recv() else { continue };
                if result.is_ok() {
                    (*first..*end).for_each(|number| self.disk.note(Op::Told(number)));
                }
                *answer = Some(result);
            }
        }
        answers.into_iter().map(Option::unwrap).collect()
    }

    /// A record; with a large content only where it is the first, since two in one batch share the sync of their names.
    fn record(&mut self, may_be_large: bool) -> Option<Vec<Entry>> {
        let choice = self.chance.below(10);
        if self.open.len() < 3 || choice < 2 {
            return self.accept(choice == 0 && may_be_large).map(|entry| vec![entry]);
        }
        // The first two messages wait for ever, so that they have to move.
        let at = self.chance.below(self.open.len());
        let id = self.open[at];
        // Each mark and each note is another, so that each is missed.
        self.next += 1;
        let other = u32::try_from(self.next).unwrap();
        Some(match choice {
            2..=4 => vec![Entry::Mark { id, recipient: other, mark: Mark::Done }],
            5 => {
                let mark = Mark::Deferred { attempts: 1, due: 400, text: format!("refused {other}") };
                vec![Entry::Mark { id, recipient: 1, mark }]
            }
            6 => vec![Entry::Note { id, octets: format!("note {other}").into_bytes() }],
            _ if at < 2 => vec![Entry::Mark { id, recipient: other, mark: Mark::Done }],
            7 => {
                self.open.remove(at);
                let child = self.accept(false)?;
                vec![child, Entry::End { id }]
            }
            _ => {
                self.open.remove(at);
                vec![Entry::End { id }]
            }
        })
    }

    fn accept(&mut self, is_large: bool) -> Option<Entry> {
        let id = Id::from_bits(self.next);
        self.next += 1;
        let length = 20 + self.chance.below(500);
        let bytes: Vec<u8> = (0..length).map(|_| b"postkiln"[self.chance.below(8)]).collect();
        self.made.insert(id, Made { content: bytes.clone() });
        let content = if is_large {
            let write = || {
                let mut large = Large::create(Arc::new(self.disk.clone()), id)?;
                large.write(&bytes)?;
                large.finish()
            };
            write().ok()?
        } else {
            Content::Here(bytes)
        };
        self.new.push(id);
        Some(Entry::Accept { id, envelope: envelope(id), content })
    }

    /// Recovers the disk as it was after `count` operations and compares.
    pub(crate) fn check_cut(&self, count: usize, seed: u64) -> Result<(), String> {
        let disk = self.disk.after_cut(count, seed);
        let storage: Arc<dyn Storage> = Arc::new(disk.clone());
        let (log, recovered) = recover(&storage, SMALL).map_err(|error| error.to_string())?;
        let history = self.disk.with_ops(|ops| History::new(&ops[..count], &self.events));
        history.check(&recovered)?;
        self.check_contents(&log, &recovered.messages)?;
        let (_, again) = recover(&storage, SMALL).map_err(|error| error.to_string())?;
        if again.messages == recovered.messages { Ok(()) } else { Err("a second recovery differs".to_owned()) }
    }

    pub(crate) fn check_contents(&self, log: &Log, messages: &[Message]) -> Result<(), String> {
        for message in messages {
            let live = log.state().live.get(&message.id).cloned().ok_or("told, and not live")?;
            let content = crate::read::content(log.storage.as_ref(), message.id, &live);
            let expected = self.made.get(&message.id).ok_or("a message from nowhere")?;
            if content.map_err(|error| error.to_string())? != expected.content {
                return Err(format!("{} has another content", message.id));
            }
            if message.envelope != envelope(message.id) {
                return Err(format!("{} has another envelope", message.id));
            }
        }
        Ok(())
    }
}

fn envelope(id: Id) -> Vec<u8> {
    format!("ada@example.org\0grace+{id}@example.net\0").into_bytes()
}

/// The events that were tried and told up to an operation.
struct History<'a> {
    told: Vec<&'a Entry>,
    tried: Vec<&'a Entry>,
}

impl<'a> History<'a> {
    fn new(ops: &[Op], events: &'a [Entry]) -> Self {
        let of = |wanted: fn(&Op) -> Option<usize>| {
            let mut numbers: Vec<usize> = ops.iter().filter_map(wanted).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers.into_iter().map(|number| &events[number]).collect()
        };
        let told = of(|op| if let Op::Told(number) = op { Some(*number) } else { None });
        let tried = of(|op| if let Op::Tried(number) = op { Some(*number) } else { None });
        Self { told, tried }
    }

    fn check(&self, recovered: &Recovered) -> Result<(), String> {
        let bad = |found: &&Finding| !matches!(found, Finding::Unfinished(_) | Finding::Orphan(_));
        if let Some(finding) = recovered.findings.iter().find(bad) {
            return Err(format!("{finding:?}"));
        }
        let ended =
            |id: &Id, events: &[&Entry]| events.iter().any(|event| matches!(event, Entry::End { id: of } if of == id));
        for event in &self.told {
            let id = event.id();
            let message = recovered.messages.iter().find(|message| message.id == id);
            match (event, message) {
                (Entry::End { .. }, Some(_)) => return Err(format!("{id} came back")),
                (Entry::End { .. }, None) => {}
                (_, None) if ended(&id, &self.tried) => {}
                (_, None) => return Err(format!("{id} is lost")),
                (event, Some(message)) => self.check_message(event, message)?,
            }
        }
        Ok(())
    }

    fn check_message(&self, told: &Entry, message: &Message) -> Result<(), String> {
        let is_there = match told {
            Entry::Mark { id, recipient, .. } => {
                // The last mark that was told, or one that was tried after it.
                let of = |event: &&&Entry| matches!(event, Entry::Mark { id: of, recipient: at, .. } if (of, at) == (id, recipient));
                let last = self.told.iter().rfind(of).copied();
                let since = self.tried.iter().skip_while(|event| Some(**event) != last).filter(of);
                let found = message.marks.iter().find(|(at, _)| at == recipient).map(|(_, mark)| mark);
                since.into_iter().any(|event| matches!(event, Entry::Mark { mark, .. } if Some(mark) == found))
            }
            Entry::Note { octets, .. } => message.notes.iter().filter(|note| *note == octets).count() == 1,
            _ => true,
        };
        if is_there { Ok(()) } else { Err(format!("{told:?} is lost: {message:?}")) }
    }
}
