//! A domain's table of addresses (`aliases.cdb`), looked into where it lies: a look-up reads some dozens of octets of a
//! file that may have megabytes. Knows nothing about what a record means (`postkiln_control::fastforward`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use postkiln_control::cdb::{self, Damaged, Source};
use postkiln_control::fastforward;

/// The data of a local part's record.
///
/// # Errors
/// When the file cannot be read, or is damaged.
pub(crate) fn find(file: &File, local: &str) -> io::Result<Option<Vec<u8>>> {
    let size = usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let table = Table { file, size };
    let Some(place) = cdb::find(&table, &fastforward::key(local)).map_err(|Unreadable(error)| error)? else {
        return Ok(None);
    };
    let mut data = vec![0; place.len()];
    table.copy(place.start, &mut data).map_err(|Unreadable(error)| error)?;
    Ok(Some(data))
}

struct Table<'a> {
    file: &'a File,
    size: usize,
}

impl Source for Table<'_> {
    type Error = Unreadable;

    fn size(&self) -> usize {
        self.size
    }

    fn copy(&self, at: usize, octets: &mut [u8]) -> Result<(), Unreadable> {
        self.file.read_exact_at(octets, at as u64).map_err(Unreadable)
    }
}

/// Why a table says nothing now.
struct Unreadable(io::Error);

impl From<Damaged> for Unreadable {
    fn from(damaged: Damaged) -> Self {
        Self(io::Error::new(io::ErrorKind::InvalidData, damaged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postkiln_control::dot_qmail::{Instruction, parse};
    use std::fs;

    #[test]
    fn records_are_found_in_the_file_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(fastforward::FILE);
        let to = |target: String| -> Vec<Instruction> { parse(target.as_bytes()).unwrap() };
        let names: Vec<String> = (0..1000).map(|number| format!("alias{number}")).collect();
        let entries = names.iter().map(|name| (name.as_str(), to(format!("&{name}@elsewhere.example\n"))));
        let whole = fastforward::compile(entries);
        fs::write(&path, &whole).unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(find(&file, "Alias777").unwrap().as_deref(), Some(&b"&alias777@elsewhere.example\0"[..]));
        assert_eq!(find(&file, "alias1000").unwrap(), None);
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(find(&File::open(&path).unwrap(), "alias777").is_err());
    }
}
