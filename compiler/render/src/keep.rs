//! The form in which a file that was made is kept: whole for a bundle, as its line of the manifest for a plan.

use std::fmt;

use postkiln_bundle::{Digester, File, FileEntry, Owner};

use crate::MODEL;

/// A form in which files are kept.
pub(crate) trait Keep: Sized + Send {
    /// Keeps a file.
    fn file(path: String, bytes: Vec<u8>, owner: Owner) -> Self;

    /// Keeps a file whose content lies in parts elsewhere.
    fn parts(path: String, parts: &[&[u8]], owner: Owner) -> Self;

    /// Keeps a file that `write` writes.
    fn written(path: String, write: &Write<'_>, owner: Owner) -> Self;
}

/// Writes a text.
pub(crate) type Write<'a> = dyn Fn(&mut dyn fmt::Write) -> fmt::Result + 'a;

impl Keep for File {
    fn file(path: String, bytes: Vec<u8>, owner: Owner) -> Self {
        Self::new(path, bytes, owner)
    }

    fn parts(path: String, parts: &[&[u8]], owner: Owner) -> Self {
        Self::new(path, parts.concat(), owner)
    }

    fn written(path: String, write: &Write<'_>, owner: Owner) -> Self {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write(&mut text);
        Self::new(path, text.into_bytes(), owner)
    }
}

/// The line of the manifest, and the content of the model alone. Parts are hashed where they lie: copies of three
/// seeds of 100,000 users would be 90 MB.
impl Keep for (FileEntry, Vec<u8>) {
    fn file(path: String, bytes: Vec<u8>, owner: Owner) -> Self {
        let (entry, _) = Self::parts(path, &[&bytes], owner);
        let kept = if entry.path == MODEL { bytes } else { Vec::new() };
        (entry, kept)
    }

    fn parts(path: String, parts: &[&[u8]], owner: Owner) -> Self {
        let mut digester = Digester::default();
        parts.iter().for_each(|part| digester.update(part));
        (digester.entry(path, owner), Vec::new())
    }

    fn written(path: String, write: &Write<'_>, owner: Owner) -> Self {
        let mut digesting = Digesting::default();
        // Hashing cannot fail.
        let _ = write(&mut digesting);
        let Digesting { mut digester, waiting } = digesting;
        digester.update(waiting.as_bytes());
        (digester.entry(path, owner), Vec::new())
    }
}

/// Hashes a text while it is written, some pages at a time.
#[derive(Default)]
struct Digesting {
    digester: Digester,
    waiting: String,
}

impl fmt::Write for Digesting {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.waiting.push_str(text);
        if self.waiting.len() > PAGES {
            self.digester.update(self.waiting.as_bytes());
            self.waiting.clear();
        }
        Ok(())
    }
}

const PAGES: usize = 64 << 10;
