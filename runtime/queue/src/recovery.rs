//! Recovery: a start deals with the remains of an earlier process, by the table in the crate's header.

use std::io;

use postkiln_mail::QueueId;

use crate::entry::{HEADER, Head, Header, decode_envelope};
use crate::message::Journal;
use crate::storage::{Storage, Stored};
use crate::{Message, QueueError, Recipient, journal};
use postkiln_journal::Checksum;

/// The findings of a start.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// The queued messages, oldest name first.
    pub messages: Vec<Message>,
    /// Everything else that was found, for the log.
    pub findings: Vec<Finding>,
}

/// A file that was not simply a queued message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A message whose sender got no 250: removed.
    Unfinished(String),
    /// A message whose recipients are all done: removed.
    Finished(String),
    /// A file that is not readable as a message: moved to `damaged/`. Either it was never acknowledged, or the disk has
    /// lost data.
    Damaged(String),
    /// A file that the disk did not let us read, move or remove, and why: it stays, to be looked
    /// at again ([`crate::Queue::look_again`]).
    Stuck(String, String),
}

enum State {
    Unfinished,
    Finished,
    Damaged,
    Queued(Message),
}

/// Sorts out every entry. An entry that cannot be read, moved or removed stays where it is and is reported, since the
/// others are mail.
pub(crate) fn recover(storage: &dyn Storage) -> Result<Recovered, QueueError> {
    sort(storage, |_| true)
}

/// Sorts out those entries of which `is_wanted` says so.
pub(crate) fn sort(storage: &dyn Storage, is_wanted: impl Fn(&str) -> bool) -> Result<Recovered, QueueError> {
    let mut recovered = Recovered::default();
    let names = storage.names().map_err(QueueError::directory("messages".as_ref()))?;
    for name in names.into_iter().filter(|name| is_wanted(&name.to_string_lossy())) {
        let text = name.to_string_lossy().into_owned();
        let state = name.to_str().map_or(Ok(State::Damaged), |name| inspect(storage, name));
        let finding = match state {
            Ok(State::Queued(message)) => {
                recovered.messages.push(message);
                continue;
            }
            Ok(State::Damaged) => storage.set_aside(&name).map(|()| Finding::Damaged(text.clone())),
            Ok(State::Finished) => storage.remove(&text).map(|()| Finding::Finished(text.clone())),
            Ok(State::Unfinished) => storage.remove(&text).map(|()| Finding::Unfinished(text.clone())),
            Err(error) => Err(error),
        };
        recovered.findings.push(finding.unwrap_or_else(|error| Finding::Stuck(text, error.to_string())));
    }
    Ok(recovered)
}

fn inspect(storage: &dyn Storage, name: &str) -> io::Result<State> {
    let Some(id) = QueueId::new(name) else { return Ok(State::Damaged) };
    if !storage.is_file(name)? {
        return Ok(State::Damaged);
    }
    let file = storage.open(name)?;
    let mut head = [0; HEADER];
    let read = file.read_at(&mut head, 0)?;
    let header = match Header::decode(head.get(..read).unwrap_or_default()) {
        Head::Unfinished => return Ok(State::Unfinished),
        Head::Damaged => return Ok(State::Damaged),
        Head::Sealed(header) => header,
    };
    let block = read_block(file.as_ref(), HEADER as u64, u64::from(header.envelope_length))?;
    let envelope = if Checksum::of(&block) == header.envelope_sum { decode_envelope(&block) } else { None };
    let Some((arrived, envelope)) = envelope else { return Ok(State::Damaged) };
    let offset = header.content_offset();
    let Some(end) = offset.checked_add(header.size) else { return Ok(State::Damaged) };
    if sum(file.as_ref(), offset, header.size)? != Some(header.content_sum) {
        return Ok(State::Damaged);
    }
    let mut recipients = vec![Recipient::default(); envelope.recipients.len()];
    let journal = read_block(file.as_ref(), end, u64::MAX)?;
    let whole = journal::replay(&journal, &mut recipients);
    if recipients.iter().all(|recipient| recipient.done) {
        return Ok(State::Finished);
    }
    let journal_end = end + whole as u64;
    if whole < journal.len() {
        // The next mark is written over the torn one anyway: a disk that refuses this does not make
        // the message unreadable.
        let _ = file.truncate(journal_end);
    }
    let journal = Journal::new(journal_end);
    Ok(State::Queued(Message { id, envelope, arrived, offset, size: header.size, recipients, journal }))
}

/// At most `length` octets from `offset`; fewer when the file ends.
fn read_block(file: &dyn Stored, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; PIECE];
    while (bytes.len() as u64) < length {
        let wanted = usize::try_from(length - bytes.len() as u64).unwrap_or(PIECE).min(PIECE);
        let read = file.read_at(piece.get_mut(..wanted).unwrap_or_default(), offset + bytes.len() as u64)?;
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        if read < wanted {
            break;
        }
    }
    Ok(bytes)
}

/// The checksum of a part; `None` when the file ends before the part does.
fn sum(file: &dyn Stored, offset: u64, length: u64) -> io::Result<Option<u32>> {
    let mut sum = Checksum::new();
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    while done < length {
        let wanted = usize::try_from(length - done).unwrap_or(PIECE).min(PIECE);
        let read = file.read_at(piece.get_mut(..wanted).unwrap_or_default(), offset + done)?;
        if read < wanted {
            return Ok(None);
        }
        sum.update(piece.get(..read).unwrap_or_default());
        done += read as u64;
    }
    Ok(Some(sum.value()))
}

const PIECE: usize = 1 << 16;
