//! The constant database under `users/cdb` and the tcprules: a head of 256 (position, slots) pairs, the records
//! (key length, data length, key, data), 256 hash tables of (hash, position); all numbers 32 bits, little-endian.
//!
//! Knows nothing about what keys and data mean, nor where the octets lie: a [`Source`] gives them, and is never asked
//! for what is beyond its end.

use std::ops::Range;

/// Collects records; the order of the file is the order of [`Writer::push`].
#[derive(Clone, Debug, Default)]
pub struct Writer {
    records: Vec<u8>,
    slots: Vec<(u32, u32)>,
}

impl Writer {
    /// An empty database.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record. Of two with the same key the first is found. The format ends at 4 GiB; readers report a record
    /// beyond that as damage.
    pub fn push(&mut self, key: &[u8], data: &[u8]) {
        self.slots.push((hash(key), number(HEAD + self.records.len())));
        self.records.extend_from_slice(&number(key.len()).to_le_bytes());
        self.records.extend_from_slice(&number(data.len()).to_le_bytes());
        self.records.extend_from_slice(key);
        self.records.extend_from_slice(data);
    }

    /// The complete file, with its hash tables.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut tables: Vec<Vec<(u32, u32)>> = vec![Vec::new(); 256];
        for slot in &self.slots {
            if let Some(table) = tables.get_mut((slot.0 % 256) as usize) {
                table.push(*slot);
            }
        }
        let mut head = Vec::with_capacity(HEAD);
        let mut tail = Vec::new();
        for table in &tables {
            let position = HEAD + self.records.len() + tail.len();
            let filled = hash_table(table);
            head.extend_from_slice(&number(position).to_le_bytes());
            head.extend_from_slice(&number(filled.len()).to_le_bytes());
            for (hash, position) in filled {
                tail.extend_from_slice(&hash.to_le_bytes());
                tail.extend_from_slice(&position.to_le_bytes());
            }
        }
        [head, self.records, tail].concat()
    }
}

/// A hash table with twice as many slots as records; each record takes the first free slot, starting from its own.
fn hash_table(records: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut table = vec![(0, 0); records.len() * 2];
    for record in records {
        let start = (record.0 / 256) as usize % table.len();
        let (before, after) = table.split_at_mut(start);
        if let Some(free) = after.iter_mut().chain(before).find(|slot| slot.1 == 0) {
            *free = *record;
        }
    }
    table
}

/// A record's key and data.
pub type Record<'a> = (&'a [u8], &'a [u8]);

/// A reader of a database in memory.
#[derive(Clone, Copy, Debug)]
pub struct Cdb<'a>(&'a [u8]);

impl<'a> Cdb<'a> {
    /// Wraps a file's bytes. Damage is found only by the look-ups.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The data of the first record with this key.
    ///
    /// # Errors
    /// When the file points outside itself.
    pub fn find(&self, key: &[u8]) -> Result<Option<&'a [u8]>, Damaged> {
        find(self, key)?.map(|place| self.0.get(place).ok_or(Damaged)).transpose()
    }

    /// Every record, in the order of the file.
    ///
    /// # Errors
    /// When the file points outside itself.
    pub fn records(&self) -> Result<Vec<Record<'a>>, Damaged> {
        let end = self.pair(0)?.0 as usize;
        let mut position = HEAD;
        let mut records = Vec::new();
        while position < end {
            let (key, data) = self.record(number(position))?;
            records.push((key, data));
            position += 8 + key.len() + data.len();
        }
        Ok(records)
    }

    fn record(&self, position: u32) -> Result<Record<'a>, Damaged> {
        let position = position as usize;
        let (key_length, data_length) = self.pair(position)?;
        let place = Place::new(position, key_length, data_length, self.0.len())?;
        Ok((self.0.get(place.key).ok_or(Damaged)?, self.0.get(place.data).ok_or(Damaged)?))
    }

    fn pair(&self, at: usize) -> Result<(u32, u32), Damaged> {
        let mut octets = [0; 8];
        self.copy(at, &mut octets)?;
        Ok(numbers(octets))
    }
}

/// Where the octets of a database come from: memory, or a file of which a look-up reads a few places only.
pub trait Source {
    /// Why octets cannot be had; damage is one reason.
    type Error: From<Damaged>;

    /// Octets of the whole database.
    fn size(&self) -> usize;

    /// Fills `octets` with what stands from `at` on.
    ///
    /// # Errors
    /// When that is beyond the end, or cannot be read.
    fn copy(&self, at: usize, octets: &mut [u8]) -> Result<(), Self::Error>;
}

impl Source for Cdb<'_> {
    type Error = Damaged;

    fn size(&self) -> usize {
        self.0.len()
    }

    fn copy(&self, at: usize, octets: &mut [u8]) -> Result<(), Damaged> {
        let found = at.checked_add(octets.len()).and_then(|end| self.0.get(at..end)).ok_or(Damaged)?;
        octets.copy_from_slice(found);
        Ok(())
    }
}

/// Where the data of the first record with this key lie.
///
/// # Errors
/// When the database points outside itself, or the source fails.
pub fn find<S: Source>(source: &S, key: &[u8]) -> Result<Option<Range<usize>>, S::Error> {
    let pair = |at: usize| {
        let mut octets = [0; 8];
        source.copy(at, &mut octets)?;
        Ok::<_, S::Error>(numbers(octets))
    };
    let hash = hash(key);
    let (table, slots) = pair((hash % 256) as usize * 8)?;
    if slots == 0 {
        return Ok(None);
    }
    // A table of more slots than octets is damage, and would be a long walk.
    if slots as usize > source.size() / 8 {
        return Err(Damaged.into());
    }
    let start = hash / 256 % slots;
    for slot in (start..slots).chain(0..start) {
        let (slot_hash, position) = pair(offset(table, slot)?)?;
        if position == 0 {
            return Ok(None);
        }
        if slot_hash != hash {
            continue;
        }
        let (key_length, data_length) = pair(position as usize)?;
        let Place { key: key_at, data } = Place::new(position as usize, key_length, data_length, source.size())?;
        let mut found = vec![0; key_at.len()];
        source.copy(key_at.start, &mut found)?;
        if found == key {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Where key and data of a record lie.
struct Place {
    key: Range<usize>,
    data: Range<usize>,
}

impl Place {
    /// Of the record at a position, within so many octets.
    fn new(position: usize, key: u32, data: u32, size: usize) -> Result<Self, Damaged> {
        let key_at = position.checked_add(8).ok_or(Damaged)?;
        let data_at = key_at.checked_add(key as usize).ok_or(Damaged)?;
        let end = data_at.checked_add(data as usize).filter(|end| *end <= size).ok_or(Damaged)?;
        Ok(Self { key: key_at..data_at, data: data_at..end })
    }
}

fn numbers(octets: [u8; 8]) -> (u32, u32) {
    let both = u64::from_le_bytes(octets);
    ((both & 0xffff_ffff) as u32, (both >> 32) as u32)
}

/// The database is cut or altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cdb file is damaged")]
pub struct Damaged;

/// The hash function: `h = (h * 33) xor byte`, from 5381.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, byte| hash.wrapping_mul(33) ^ u32::from(*byte))
}

fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn offset(table: u32, slot: u32) -> Result<usize, Damaged> {
    (slot as usize).checked_mul(8).and_then(|offset| offset.checked_add(table as usize)).ok_or(Damaged)
}

const HEAD: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut writer = Writer::new();
        for i in 0..1000 {
            writer.push(format!("key{i}").as_bytes(), format!("data{i}").as_bytes());
        }
        writer.push(b"key7", b"second");
        writer.push(b"", b"empty key");
        writer.finish()
    }

    #[test]
    fn what_is_written_is_found_and_the_first_of_equal_keys_wins() {
        let bytes = sample();
        let cdb = Cdb::new(&bytes);
        for i in 0..1000 {
            let data = format!("data{i}");
            assert_eq!(cdb.find(format!("key{i}").as_bytes()), Ok(Some(data.as_bytes())));
        }
        assert_eq!(cdb.find(b""), Ok(Some(&b"empty key"[..])));
        assert_eq!(cdb.find(b"key1000"), Ok(None));
        let records = cdb.records().unwrap();
        assert_eq!((records.len(), records[3]), (1002, (&b"key3"[..], &b"data3"[..])));
    }

    #[test]
    fn an_empty_database_is_a_head_of_2048_octets() {
        let bytes = Writer::new().finish();
        assert_eq!(bytes.len(), 2048);
        assert_eq!(Cdb::new(&bytes).find(b"x"), Ok(None));
        assert_eq!(Cdb::new(b"").find(b"x"), Err(Damaged));
    }

    /// One record as cdb's own documentation lays it out, computed by hand.
    #[test]
    fn one_record_has_the_published_layout() {
        let mut writer = Writer::new();
        writer.push(b"a", b"b");
        let bytes = writer.finish();
        let hash: u32 = (5381 * 33) ^ 0x61;
        assert_eq!(&bytes[2048..2058], b"\x01\0\0\0\x01\0\0\0ab");
        let entry = (hash % 256) as usize * 8;
        assert_eq!(&bytes[entry..entry + 8], &[0x0a, 0x08, 0, 0, 2, 0, 0, 0]);
        let slot = 2058 + (hash / 256 % 2) as usize * 8;
        assert_eq!(&bytes[slot..slot + 4], &hash.to_le_bytes());
        assert_eq!(&bytes[slot + 4..slot + 8], &2048u32.to_le_bytes());
        assert_eq!(bytes.len(), 2058 + 16);
    }

    #[test]
    fn damage_is_an_error_or_a_miss_never_a_panic() {
        let whole = sample();
        for length in (0..whole.len()).step_by(97) {
            let _ = Cdb::new(&whole[..length]).find(b"key999");
            let _ = Cdb::new(&whole[..length]).records();
        }
        for at in 0..whole.len().min(6000) {
            let mut altered = whole.clone();
            altered[at] ^= 0xff;
            let _ = Cdb::new(&altered).find(b"key0");
            let _ = Cdb::new(&altered).records();
        }
        let all_ones = vec![0xff; 4096];
        assert_eq!(Cdb::new(&all_ones).find(b"x"), Err(Damaged));
    }
}
