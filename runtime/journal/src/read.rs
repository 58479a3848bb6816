//! Reading messages back out of the log, checked.

use crate::entry::{self, Content, Found, FoundContent};
use crate::format::{RECORD, decode_head, decode_record};
use crate::log::segment_name;
use crate::state::{Lies, Live};
use crate::storage::{Folder, Storage};
use crate::{Checksum, Id, JournalError};

/// Envelope and content of a message as its record has them.
pub(crate) fn accepted(storage: &dyn Storage, id: Id, live: &Live) -> Result<(Vec<u8>, Content), JournalError> {
    let name = segment_name(live.epoch);
    let read = || {
        let file = storage.open(Folder::Log, &name)?;
        let mut head = vec![0; RECORD];
        file.read_at(&mut head, live.at)?;
        let Some((_, length, _)) = decode_head(&head) else { return Ok(None) };
        let mut record = vec![0; RECORD + length];
        file.read_at(&mut record, live.at)?;
        Ok(Some(record))
    };
    let record = read().map_err(JournalError::disk("read", &name))?;
    let entries = record.as_deref().and_then(decode_record).map(|(_, entries)| entries).unwrap_or_default();
    let found = entry::decode(entries).unwrap_or_default();
    let mine = found.iter().find_map(|found| match found {
        Found::Accept { id: accepted, envelope, content } if *accepted == id => Some((envelope.to_vec(), content)),
        _ => None,
    });
    let (envelope, content) = mine.ok_or_else(|| JournalError::Damaged(id.to_string()))?;
    let content = match content {
        FoundContent::Here(_, content) => Content::Here(content.to_vec()),
        FoundContent::Large(stored) => Content::Large(stored.clone()),
    };
    Ok((envelope, content))
}

/// The content of a message, wherever it lies.
pub(crate) fn content(storage: &dyn Storage, id: Id, live: &Live) -> Result<Vec<u8>, JournalError> {
    let Lies::Large(stored) = &live.content else {
        return match accepted(storage, id, live)?.1 {
            Content::Here(content) => Ok(content),
            Content::Large(_) => Err(JournalError::Damaged(id.to_string())),
        };
    };
    let name = id.to_string();
    let read = || {
        let file = storage.open(Folder::Large, &name)?;
        let mut bytes = vec![0; usize::try_from(file.length()?.min(stored.size)).unwrap_or(0)];
        file.read_at(&mut bytes, 0)?;
        Ok(bytes)
    };
    let bytes = read().map_err(JournalError::disk("read", &name))?;
    let is_whole = bytes.len() as u64 == stored.size && Checksum::of(&bytes) == stored.sum;
    if is_whole { Ok(bytes) } else { Err(JournalError::Damaged(name)) }
}
