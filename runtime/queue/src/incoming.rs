//! A message on its way in.

use std::time::SystemTime;

use postkiln_mail::{Envelope, QueueId};

use crate::entries::Made;
use crate::entry::{HEADER, Header, encode_envelope};
use crate::message::{Journal, from_unix_seconds, unix_seconds};
use crate::storage::Stored;
use crate::{Message, Queue, QueueError, Recipient};
use postkiln_journal::Checksum;

/// A message that is being received. Dropping it forgets it.
pub struct Incoming {
    queue: Queue,
    id: QueueId,
    arrived: SystemTime,
    envelope: Envelope,
    header: Header,
    sum: Checksum,
    file: Box<dyn Stored>,
    made: Made,
    /// Octets that are not written yet, with their place in the file.
    buffer: Vec<u8>,
    written: u64,
    kept: bool,
}

/// The size of the buffer in octets: small messages are written in one piece, with their header.
const BUFFER: usize = 1 << 18;

impl Incoming {
    pub(crate) fn create(queue: Queue, id: QueueId, now: SystemTime, envelope: Envelope) -> Result<Self, QueueError> {
        let arrived = from_unix_seconds(unix_seconds(now)).unwrap_or(now);
        let block = encode_envelope(arrived, &envelope);
        let header = Header {
            envelope_length: u32::try_from(block.len()).map_err(|_| QueueError::Envelope)?,
            envelope_sum: Checksum::of(&block),
            size: 0,
            content_sum: 0,
        };
        let file = queue.storage.create(id.as_str()).map_err(QueueError::io("create message", &id))?;
        let made = queue.entries.made();
        let mut buffer = vec![0; HEADER];
        buffer.extend_from_slice(&block);
        let sum = Checksum::new();
        Ok(Self { queue, id, arrived, envelope, header, sum, file, made, buffer, written: 0, kept: false })
    }

    /// The name that the message will have.
    #[must_use]
    pub const fn id(&self) -> &QueueId {
        &self.id
    }

    /// The number of octets of content so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.header.size
    }

    /// Whether so many octets more only wait in memory, without a write.
    #[must_use]
    pub const fn has_room(&self, octets: usize) -> bool {
        self.buffer.len().saturating_add(octets) < BUFFER
    }

    /// Adds octets to the content; line ends are LF.
    ///
    /// # Errors
    /// When the disk refuses them; the message can only be dropped then.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), QueueError> {
        self.sum.update(bytes);
        self.header.size += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Seals the message; when this returns it is on stable storage, and 250 may be said.
    ///
    /// # Errors
    /// When the message could not be kept; it is forgotten then.
    pub fn commit(mut self) -> Result<Message, QueueError> {
        self.header.content_sum = self.sum.value();
        let header = self.header.encode();
        if self.written == 0 {
            if let Some(start) = self.buffer.get_mut(..HEADER) {
                start.copy_from_slice(&header);
            }
            self.flush()?;
        } else {
            self.flush()?;
            self.file.write_at(&header, 0).map_err(QueueError::io("write message", &self.id))?;
        }
        self.file.sync().map_err(QueueError::io("sync message", &self.id))?;
        self.queue.entries.settle(self.made, || self.queue.storage.sync_names())?;
        self.kept = true;
        let offset = self.header.content_offset();
        Ok(Message {
            id: self.id.clone(),
            envelope: self.envelope.clone(),
            arrived: self.arrived,
            offset,
            size: self.header.size,
            recipients: vec![Recipient::default(); self.envelope.recipients.len()],
            journal: Journal::new(offset + self.header.size),
        })
    }

    fn flush(&mut self) -> Result<(), QueueError> {
        self.file.write_at(&self.buffer, self.written).map_err(QueueError::io("write message", &self.id))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl Drop for Incoming {
    /// Removes a message that is not kept. If that fails, the next start removes it, since the file has no seal. The
    /// exception is a sync that failed after sealing: the client got 451, and its second try is the duplicate that
    /// qmail allows as well.
    fn drop(&mut self) {
        if !self.kept {
            let _ = self.queue.storage.remove(self.id.as_str());
        }
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("id", &self.id).field("size", &self.header.size).finish_non_exhaustive()
    }
}
