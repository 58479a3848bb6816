//! Reading messages: whole, only the header, or as an open file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::{Folder, StoreError, wire};

impl Folder {
    /// The content of a message with CRLF line ends, only its header with the blank line when `header_only`. `None`
    /// when it is gone.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`], or when the disk fails.
    pub fn read(&mut self, uid: u32, header_only: bool, now: SystemTime) -> Result<Option<Vec<u8>>, StoreError> {
        match self.file(uid, now)? {
            Some((mut file, path)) => Ok(Some(wire::to_wire(&read_file(&mut file, &path, header_only)?))),
            None => Ok(None),
        }
    }

    /// The file of a message, open for reading, and where it was. `None` when it is gone.
    ///
    /// # Errors
    /// [`StoreError::FolderGone`], or when the disk fails.
    pub fn file(&mut self, uid: u32, now: SystemTime) -> Result<Option<(File, PathBuf)>, StoreError> {
        for attempt in 0..2 {
            let Some(message) = self.position(uid).and_then(|at| self.messages.get(at)) else { return Ok(None) };
            let path = message.stored.path(&self.path);
            match File::open(&path) {
                Ok(file) => return Ok(Some((file, path))),
                // Another session has changed its flags, or removed it: one look tells.
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempt == 0 => {
                    self.settled = None;
                    self.refresh(now, false)?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::io("open", &path)(error)),
            }
        }
        Ok(None)
    }
}

/// The content as it is in the file.
fn read_file(file: &mut File, path: &Path, header_only: bool) -> Result<Vec<u8>, StoreError> {
    let mut content = Vec::new();
    if !header_only {
        file.read_to_end(&mut content).map_err(StoreError::io("read", path))?;
        return Ok(content);
    }
    loop {
        let before = content.len();
        let read = file.by_ref().take(8192).read_to_end(&mut content).map_err(StoreError::io("read", path))?;
        if let Some(end) = header_end(&content, before.saturating_sub(3)) {
            content.truncate(end);
            return Ok(content);
        }
        if read == 0 {
            return Ok(content);
        }
    }
}

/// Where the header ends, after its blank line, looking from an offset on.
fn header_end(content: &[u8], from: usize) -> Option<usize> {
    if from == 0 {
        let at_once = [&b"\n"[..], b"\r\n"].into_iter().find(|blank| content.starts_with(blank));
        if let Some(blank) = at_once {
            return Some(blank.len());
        }
    }
    let ends = content.iter().enumerate().skip(from).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    ends.filter_map(|at| {
        let rest = content.get(at..)?;
        [&b"\n"[..], b"\r\n"].into_iter().find(|blank| rest.starts_with(blank)).map(|blank| at + blank.len())
    })
    .next()
}

/// The size on the wire of a file whose name does not tell it.
pub(crate) fn measured(path: &Path) -> Result<u64, StoreError> {
    let mut size = wire::WireSize::default();
    let mut file = File::open(path).map_err(StoreError::io("open", path))?;
    size.add(&read_file(&mut file, path, false)?);
    Ok(size.total())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_end_at_the_first_blank_line() {
        for (text, end) in [
            ("a: b\n\nbody\n\n", Some(6)),
            ("a: b\r\n\r\nbody", Some(8)),
            ("\nbody", Some(1)),
            ("\r\nbody", Some(2)),
            ("a: b\n", None),
            ("", None),
        ] {
            assert_eq!(header_end(text.as_bytes(), 0), end, "{text:?}");
        }
    }
}
