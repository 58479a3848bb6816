//! CRC-32C (Castagnoli; RFC 3720 §B.4 has its test vectors): tells torn writes from whole ones, and gives no
//! protection from malice.

use crc::{CRC_32_ISCSI, Crc, Digest, Table};

/// A running checksum.
pub struct Checksum(Digest<'static, u32, Table<16>>);

impl Checksum {
    /// The sum of nothing.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a sum is begun on purpose")]
    pub const fn new() -> Self {
        Self(CASTAGNOLI.digest())
    }

    /// The sum of some octets.
    #[must_use]
    pub fn of(bytes: &[u8]) -> u32 {
        CASTAGNOLI.checksum(bytes)
    }

    /// Goes on with more octets.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of all octets so far.
    #[must_use]
    pub fn value(&self) -> u32 {
        self.0.clone().finalize()
    }
}

/// The tables are for sixteen octets at a time: each message goes through them.
static CASTAGNOLI: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors_hold() {
        assert_eq!(Checksum::of(b"123456789"), 0xe306_9283);
        assert_eq!(Checksum::of(&[0; 32]), 0x8a91_36aa);
        assert_eq!(Checksum::of(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn pieces_give_the_sum_of_the_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for cut in [0, 1, 7, 8, 9, 500, 1000] {
            let mut sum = Checksum::new();
            sum.update(&bytes[..cut]);
            sum.update(&bytes[cut..]);
            assert_eq!(sum.value(), Checksum::of(&bytes), "cut at {cut}");
        }
    }
}
