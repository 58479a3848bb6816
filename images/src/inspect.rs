//! Reading an image back, to find the bundle it carries.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;

use postkiln_bundle::{Bundle, unpack};

use crate::ImageError;

/// The bundle in slot a of a disk image.
///
/// # Errors
/// When the file is no image of ours.
pub fn bundle(image: &Path) -> Result<Bundle, ImageError> {
    let wrong = |reason: String| ImageError::NoImage { path: image.to_owned(), reason };
    let mut file = File::open(image).map_err(ImageError::io(image))?;
    let table = gpt::GptConfig::new().open_from_device(&mut file).map_err(|error| wrong(error.to_string()))?;
    let place = table.partitions().values().find(|partition| partition.name == "bundle-a").map(|found| found.first_lba);
    let place = place.ok_or_else(|| wrong("it has no partition bundle-a".to_owned()))?;
    file.seek(SeekFrom::Start(place.saturating_mul(512))).map_err(ImageError::io(image))?;
    unpack(BufReader::new(file)).map_err(|error| wrong(error.to_string()))
}
