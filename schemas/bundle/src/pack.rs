//! A bundle as one file: `POSTKILN-BUNDLE/1` newline, the manifest's length as eight little-endian octets, the
//! manifest, then every file's content in the manifest's order. Octets after that (the rest of a partition) are
//! ignored.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::{Bundle, BundleError, Manifest};

const MAGIC: &[u8] = b"POSTKILN-BUNDLE/1\n";
/// The largest manifest in octets: one of this size would name 300,000 files.
const MANIFEST_LIMIT: u64 = 64 << 20;
/// The largest file in octets; signatures and seeds are the largest files.
const FILE_LIMIT: u64 = 1 << 30;

impl Bundle {
    /// The packed form; the same bundle gives the same bytes.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let manifest = self.manifest_bytes();
        let mut packed = MAGIC.to_vec();
        packed.extend_from_slice(&(manifest.len() as u64).to_le_bytes());
        packed.extend_from_slice(&manifest);
        for (_, bytes) in self.files() {
            packed.extend_from_slice(bytes);
        }
        packed
    }
}

/// Reads a packed bundle and checks it.
///
/// # Errors
/// When the source cannot be read, is no packed bundle, or does not agree with its manifest.
pub fn unpack(mut source: impl Read) -> Result<Bundle, PackError> {
    let mut magic = [0; MAGIC.len()];
    source.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(PackError::NotABundle);
    }
    let mut length = [0; 8];
    source.read_exact(&mut length)?;
    let manifest = read_bounded(&mut source, u64::from_le_bytes(length), MANIFEST_LIMIT)?;
    let manifest = Manifest::parse(&manifest)?;
    let mut contents = BTreeMap::new();
    for entry in &manifest.files {
        contents.insert(entry.path.clone(), read_bounded(&mut source, entry.size, FILE_LIMIT)?);
    }
    Ok(Bundle::verified(manifest, contents)?)
}

fn read_bounded(source: &mut impl Read, size: u64, limit: u64) -> Result<Vec<u8>, PackError> {
    if size > limit {
        return Err(PackError::TooLarge(size));
    }
    let mut bytes = Vec::new();
    if source.take(size).read_to_end(&mut bytes)? as u64 != size {
        return Err(PackError::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(bytes)
}

/// The reason why a packed bundle cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum PackError {
    #[error("cannot read the packed bundle")]
    Io(#[from] io::Error),
    #[error("this is no packed bundle")]
    NotABundle,
    #[error("a part of {0} octets is over the limit")]
    TooLarge(u64),
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{File, Owner};

    #[test]
    fn a_packed_bundle_comes_back_whole_and_a_cut_one_does_not() {
        let file = File::new("control/me", b"mail\n".to_vec(), Owner::Everyone);
        let bundle = Bundle::new(1, "mail.example.org", vec![file], Vec::new());
        let mut packed = bundle.pack();
        assert!(unpack(&packed[..packed.len() - 1]).is_err());
        packed.extend_from_slice(&[0; 512]);
        assert_eq!(unpack(&packed[..]).unwrap(), bundle);
    }
}
