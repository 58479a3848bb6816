//! A bundle as one file: `POSTKILN-BUNDLE/2` newline, the length of what follows as eight little-endian octets, and one
//! frame of zstd (RFC 8878) with the manifest's length as eight little-endian octets, the manifest, then every file's
//! content in the manifest's order. What stands behind it (a partition's rest) is ignored.
//!
//! In version 1 the same stood without compression, and without the first length. Such files are read for ever: people
//! keep bundles to plan against.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use crate::{Bundle, BundleError, Manifest};

const MAGIC: &[u8; 18] = b"POSTKILN-BUNDLE/2\n";
const MAGIC_OF_1: &[u8; 18] = b"POSTKILN-BUNDLE/1\n";
/// The largest manifest in octets: one of this size would name 300,000 files.
const MANIFEST_LIMIT: u64 = 64 << 20;
/// The largest file in octets; signatures and seeds are the largest files.
const FILE_LIMIT: u64 = 1 << 30;
/// More makes the bundle of a large site a tenth smaller and takes several times as long.
const LEVEL: i32 = 3;
/// How far back repetitions are found, as a power of two: the seeds of three databases hold the same rows, one after
/// the other. A small bundle takes no more than its own size, on the node too.
const WINDOW: u32 = 27;

impl Bundle {
    /// The packed form; the same bundle gives the same bytes.
    ///
    /// # Errors
    /// When the compressor finds no memory.
    pub fn pack(&self) -> io::Result<Vec<u8>> {
        let manifest = self.manifest_bytes();
        let size = self.files().map(|(entry, _)| entry.size).sum::<u64>() + manifest.len() as u64 + 8;
        let mut frame = zstd::Encoder::new(Vec::new(), LEVEL)?;
        frame.set_pledged_src_size(Some(size))?;
        frame.long_distance_matching(true)?;
        frame.window_log(WINDOW)?;
        frame.write_all(&(manifest.len() as u64).to_le_bytes())?;
        frame.write_all(&manifest)?;
        for (_, bytes) in self.files() {
            frame.write_all(bytes)?;
        }
        let frame = frame.finish()?;
        Ok([&MAGIC[..], &(frame.len() as u64).to_le_bytes(), &frame].concat())
    }
}

/// Reads a packed bundle and checks it.
///
/// # Errors
/// When the source cannot be read, is no packed bundle, or does not agree with its manifest.
pub fn unpack(mut source: impl Read) -> Result<Bundle, PackError> {
    let mut magic = [0; MAGIC.len()];
    source.read_exact(&mut magic)?;
    match &magic {
        MAGIC => {
            let length = number(&mut source)?;
            let mut frame = zstd::Decoder::new(source.take(length))?.single_frame();
            frame.window_log_max(WINDOW)?;
            contents(frame)
        }
        MAGIC_OF_1 => contents(source),
        _ => Err(PackError::NotABundle),
    }
}

fn contents(mut source: impl Read) -> Result<Bundle, PackError> {
    let length = number(&mut source)?;
    let manifest = read_bounded(&mut source, length, MANIFEST_LIMIT)?;
    let manifest = Manifest::parse(&manifest)?;
    let mut contents = BTreeMap::new();
    for entry in &manifest.files {
        contents.insert(entry.path.clone(), read_bounded(&mut source, entry.size, FILE_LIMIT)?);
    }
    Ok(Bundle::verified(manifest, contents)?)
}

fn number(source: &mut impl Read) -> io::Result<u64> {
    let mut octets = [0; 8];
    source.read_exact(&mut octets)?;
    Ok(u64::from_le_bytes(octets))
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

    fn sample() -> Bundle {
        let text = "&ada@example.org\n".repeat(10_000).into_bytes();
        let files = vec![
            File::new("control/me", b"mail\n".to_vec(), Owner::Everyone),
            File::new("domains/example.org/.qmail-x", text, Owner::Everyone),
        ];
        Bundle::new(1, "mail.example.org", files, Vec::new())
    }

    #[test]
    fn a_packed_bundle_comes_back_whole_and_a_cut_one_does_not() {
        let bundle = sample();
        let mut packed = bundle.pack().unwrap();
        assert_eq!(packed, bundle.pack().unwrap());
        assert!(packed.len() < 2000, "{} octets", packed.len());
        for cut in [packed.len() - 1, packed.len() / 2, 30, 20, 3] {
            assert!(unpack(&packed[..cut]).is_err(), "{cut}");
        }
        packed.extend_from_slice(&[0; 512]);
        assert_eq!(unpack(&packed[..]).unwrap(), bundle);
    }

    #[test]
    fn what_was_packed_before_compression_is_still_read() {
        let bundle = sample();
        let manifest = bundle.manifest_bytes();
        let mut packed = MAGIC_OF_1.to_vec();
        packed.extend_from_slice(&(manifest.len() as u64).to_le_bytes());
        packed.extend_from_slice(&manifest);
        bundle.files().for_each(|(_, bytes)| packed.extend_from_slice(bytes));
        assert_eq!(unpack(&packed[..]).unwrap(), bundle);
        packed[16] = b'3';
        assert!(matches!(unpack(&packed[..]), Err(PackError::NotABundle)));
    }
}
