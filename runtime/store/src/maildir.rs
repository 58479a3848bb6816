//! A mailbox as a whole, with its folders.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::disk::{Disk, Real};
use crate::{Folder, FolderName, Quota, StoreError, Uniques, scan};

/// One person's mailbox. Cheap to clone; nothing is read before it is asked for.
#[derive(Clone)]
pub struct Maildir {
    pub(crate) path: PathBuf,
    pub(crate) quota: Quota,
    pub(crate) uniques: Arc<Uniques>,
    pub(crate) disk: Arc<dyn Disk>,
}

impl Maildir {
    /// The mailbox at `path`, which is made when it is first used.
    #[must_use]
    pub fn new(path: &Path, quota: Quota, uniques: Arc<Uniques>) -> Self {
        Self { path: path.to_owned(), quota, uniques, disk: Arc::new(Real) }
    }

    /// Opens a folder, cleaning its `tmp`. Its messages are read by [`Folder::refresh`].
    ///
    /// # Errors
    /// [`StoreError::NoFolder`], or a failing disk.
    pub fn open(&self, name: &FolderName, now: SystemTime) -> Result<Folder, StoreError> {
        let directory = self.existing(name)?;
        scan::clean_tmp(&directory, now);
        Ok(Folder::new(self.clone(), name.clone(), directory))
    }
}

impl fmt::Debug for Maildir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maildir").field("path", &self.path).field("quota", &self.quota).finish_non_exhaustive()
    }
}
