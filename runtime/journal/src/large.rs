//! A content that has a file of its own: written and synced, with its name, before any record names it.

use std::sync::Arc;

use crate::entry::{Content, Stored};
use crate::storage::{File, Folder, Storage};
use crate::{Checksum, Id, JournalError};

/// A large content on its way in. Dropping it forgets it.
pub struct Large {
    storage: Arc<dyn Storage>,
    file: Box<dyn File>,
    name: String,
    size: u64,
    sum: Checksum,
    is_kept: bool,
}

impl Large {
    pub(crate) fn create(storage: Arc<dyn Storage>, id: Id) -> Result<Self, JournalError> {
        let name = id.to_string();
        let file = storage.create(Folder::Large, &name).map_err(JournalError::disk("create", &name))?;
        Ok(Self { storage, file, name, size: 0, sum: Checksum::new(), is_kept: false })
    }

    /// Adds octets to the content. Each call is a write; small pieces are gathered by the caller.
    ///
    /// # Errors
    /// When the disk refuses them; the content can only be dropped then.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), JournalError> {
        self.file.write_at(octets, self.size).map_err(JournalError::disk("write", &self.name))?;
        self.sum.update(octets);
        self.size += octets.len() as u64;
        Ok(())
    }

    /// Makes the content and its name stable, for the entry that accepts it.
    ///
    /// # Errors
    /// When a sync fails; the content is forgotten then.
    pub fn finish(mut self) -> Result<Content, JournalError> {
        self.file.sync().map_err(JournalError::disk("sync", &self.name))?;
        self.storage.sync_names(Folder::Large).map_err(JournalError::disk("sync names for", &self.name))?;
        self.is_kept = true;
        Ok(Content::Large(Stored { size: self.size, sum: self.sum.value() }))
    }
}

impl Drop for Large {
    /// Removes a content that nothing will name. If that fails, the next start does it.
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = self.storage.remove(Folder::Large, &self.name);
        }
    }
}

impl std::fmt::Debug for Large {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Large").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}
