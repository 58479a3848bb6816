//! The open folder as the client knows it: sequence numbers are places in this list, so it changes only when the client
//! is told (RFC 3501 §7.4.1).

use postkiln_mail::Flags;

use crate::question::{Chosen, Entry, Snapshot};
use crate::sequence::SequenceSet;

/// The state of the folder as the client was told it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) folder: String,
    pub(crate) read_only: bool,
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
    pub(crate) entries: Vec<Entry>,
}

/// The kind of numbers that a client uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    Sequence,
    Uid,
}

impl View {
    pub(crate) fn new(folder: String, read_only: bool, snapshot: Snapshot) -> Self {
        let Snapshot { uid_validity, uid_next, messages } = snapshot;
        Self { folder, read_only, uid_validity, uid_next, entries: messages }
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn recent(&self) -> usize {
        self.entries.iter().filter(|entry| entry.recent).count()
    }

    /// The place of a UID, counted from 0.
    pub(crate) fn position(&self, uid: u32) -> Option<usize> {
        self.entries.binary_search_by_key(&uid, |entry| entry.uid).ok()
    }

    /// Places that a set names, ascending. UIDs that are not there are ignored (RFC 3501 §6.4.8), sequence numbers over
    /// the last are the client's mistake.
    pub(crate) fn resolve(&self, set: &SequenceSet, numbers: Numbers) -> Result<Vec<usize>, &'static str> {
        if numbers == Numbers::Sequence && set.exceeds(self.count()) {
            return Err("there is no message of that number");
        }
        let largest = self.largest(numbers);
        let mut places = Vec::new();
        for (first, last) in set.ranges(largest) {
            let (from, to) = match numbers {
                Numbers::Sequence => (first.saturating_sub(1) as usize, last as usize),
                Numbers::Uid => (
                    self.entries.partition_point(|entry| entry.uid < first),
                    self.entries.partition_point(|entry| entry.uid <= last),
                ),
            };
            places.extend(from..to.min(self.entries.len()));
        }
        Ok(places)
    }

    /// The messages at these places, as a question names them.
    pub(crate) fn at(&self, places: &[usize]) -> Chosen {
        let uids = places.iter().filter_map(|at| Some(self.entries.get(*at)?.uid)).collect();
        Chosen { uid_validity: self.uid_validity, uids }
    }

    /// The number that `*` stands for.
    pub(crate) fn largest(&self, numbers: Numbers) -> u32 {
        match numbers {
            Numbers::Sequence => self.count(),
            Numbers::Uid => self.entries.last().map_or(0, |entry| entry.uid),
        }
    }

    /// Notes flags as they are now; gives the message's place.
    pub(crate) fn note_flags(&mut self, uid: u32, flags: Flags) -> Option<usize> {
        let at = self.position(uid)?;
        self.entries.get_mut(at)?.flags = flags;
        Some(at)
    }

    /// Takes messages out and says so (RFC 3501 §7.4.1): each number counts what is left then.
    pub(crate) fn expunge(&mut self, is_gone: impl Fn(u32) -> bool, out: &mut Vec<u8>) {
        let mut number = 0_usize;
        self.entries.retain(|entry| {
            number += 1;
            let gone = is_gone(entry.uid);
            if gone {
                out.extend_from_slice(format!("* {number} EXPUNGE\r\n").as_bytes());
                number -= 1;
            }
            !gone
        });
    }

    /// Brings the client up to date; what is gone is told only where that is allowed. `false` when UIDs began anew:
    /// this view cannot go on.
    pub(crate) fn update(&mut self, now: Snapshot, may_expunge: bool, out: &mut Vec<u8>) -> bool {
        if now.uid_validity != self.uid_validity {
            return false;
        }
        self.uid_next = now.uid_next;
        let known = self.entries.last().map_or(0, |entry| entry.uid);
        let current = |uid: u32| {
            now.messages.binary_search_by_key(&uid, |entry| entry.uid).ok().and_then(|at| now.messages.get(at))
        };
        if may_expunge {
            self.expunge(|uid| current(uid).is_none(), out);
        }
        for (at, entry) in self.entries.iter_mut().enumerate() {
            if let Some(changed) = current(entry.uid).filter(|current| current.flags != entry.flags) {
                entry.flags = changed.flags;
                out.extend_from_slice(flags_line(at, entry, Numbers::Sequence).as_bytes());
            }
        }
        let before = self.entries.len();
        self.entries.extend(now.messages.iter().filter(|entry| entry.uid > known));
        if self.entries.len() > before {
            let (count, recent) = (self.count(), self.recent());
            out.extend_from_slice(format!("* {count} EXISTS\r\n* {recent} RECENT\r\n").as_bytes());
        }
        true
    }
}

/// `* 2 FETCH (FLAGS (\Seen))`, with the UID where the client works with UIDs.
pub(crate) fn flags_line(at: usize, entry: &Entry, numbers: Numbers) -> String {
    let uid = if numbers == Numbers::Uid { format!("UID {} ", entry.uid) } else { String::new() };
    format!("* {} FETCH ({uid}FLAGS ({}))\r\n", at + 1, flags(entry))
}

/// The flags of a message as the client sees them.
pub(crate) fn flags(entry: &Entry) -> String {
    let recent = entry.recent.then_some("\\Recent");
    entry.flags.names().chain(recent).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;

    fn entry(uid: u32, flags: Flags) -> Entry {
        Entry { uid, flags, recent: false, size: 1, internal_date: 0 }
    }

    fn snapshot(entries: &[(u32, Flags)]) -> Snapshot {
        let messages = entries.iter().map(|(uid, flags)| entry(*uid, *flags)).collect();
        Snapshot { uid_validity: 1, uid_next: 99, messages }
    }

    #[test]
    fn updates_are_told_in_order() {
        let none = Flags::none();
        let mut view = View::new("INBOX".into(), false, snapshot(&[(1, none), (2, none), (3, none), (5, none)]));
        let now = snapshot(&[(3, Flags::SEEN), (7, none)]);
        let mut out = Vec::new();
        assert!(view.update(now.clone(), false, &mut out));
        assert_eq!(String::from_utf8_lossy(&out), "* 3 FETCH (FLAGS (\\Seen))\r\n* 5 EXISTS\r\n* 0 RECENT\r\n");
        out.clear();
        assert!(view.update(now, true, &mut out));
        assert_eq!(String::from_utf8_lossy(&out), "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n");
        assert_eq!(view.entries.iter().map(|entry| entry.uid).collect::<Vec<_>>(), [3, 7]);
        assert!(!view.update(Snapshot { uid_validity: 2, ..Snapshot::default() }, true, &mut out));
    }

    #[test]
    fn sets_name_places() {
        let view = View::new("INBOX".into(), false, snapshot(&[(2, Flags::none()), (4, Flags::none())]));
        let check = |set: &str, numbers, places: Result<Vec<usize>, ()>| {
            let set = SequenceSet::parse(&mut Cursor::new(set.as_bytes())).unwrap();
            assert_eq!(view.resolve(&set, numbers).map_err(|_| ()), places, "{set:?}");
        };
        check("1:*", Numbers::Sequence, Ok(vec![0, 1]));
        check("3", Numbers::Sequence, Err(()));
        check("3:*", Numbers::Sequence, Ok(vec![1]));
        check("1:3,4:4294967295", Numbers::Uid, Ok(vec![0, 1]));
        check("100:*", Numbers::Uid, Ok(vec![1]));
    }
}
