//! CRC-32C (Castagnoli; RFC 3720 §B.4 has its test vectors): tells torn writes from whole ones, and gives no protection
//! from malice.

/// A running checksum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checksum(u32);

impl Checksum {
    pub(crate) const fn new() -> Self {
        Self(!0)
    }

    pub(crate) fn of(bytes: &[u8]) -> u32 {
        let mut sum = Self::new();
        sum.update(bytes);
        sum.value()
    }

    /// Adds octets, eight at a time (slicing-by-8).
    #[allow(clippy::indexing_slicing, reason = "each table has a place for every octet")]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let mut crc = self.0;
        let (groups, rest) = bytes.as_chunks::<8>();
        for group in groups {
            let word = u64::from_le_bytes(*group) ^ u64::from(crc);
            crc = word
                .to_le_bytes()
                .iter()
                .zip(TABLES.iter().rev())
                .fold(0, |sum, (byte, table)| sum ^ table[usize::from(*byte)]);
        }
        for byte in rest {
            let [low, ..] = crc.to_le_bytes();
            crc = (crc >> 8) ^ TABLES[0][usize::from(low ^ byte)];
        }
        self.0 = crc;
    }

    pub(crate) const fn value(self) -> u32 {
        !self.0
    }
}

static TABLES: [[u32; 256]; 8] = tables();

const POLYNOMIAL: u32 = 0x82f6_3b78;

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

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
