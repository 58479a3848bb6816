//! The name of a message for ever: 128 bits that no other message has, on no node and in no restored copy.

use std::fmt;
use std::io;
use std::time::SystemTime;

use postkiln_mail::QueueId;

/// A queue id: the second of arrival (32 bits, so that names sort by age as long as the clock goes forward), then 96
/// bits of chance. Two messages of one second on any nodes have the same with a probability of 2⁻⁹⁶; a snapshot that is
/// restored with its random generator has another second, and a clock that is set back other chance. Nothing is
/// counted, so nothing can be counted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u128);

impl Id {
    /// A new name for a message that arrives at `now`.
    ///
    /// # Errors
    /// Where the system gives no octets of chance.
    pub fn fresh(now: SystemTime) -> io::Result<Self> {
        Ok(Self::made(now, postkiln_sys::random()?))
    }

    fn made(now: SystemTime, chance: [u8; 12]) -> Self {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs() & 0xffff_ffff);
        let chance = chance.iter().fold(0, |bits, octet| bits << 8 | u128::from(*octet));
        Self(u128::from(seconds) << 96 | chance)
    }

    /// The name of 32 lower-case hexadecimal digits; `None` for any other, as names of earlier queues are.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.bytes().all(|octet| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet));
        (text.len() == 32 && is_hex).then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }

    pub(crate) const fn bits(self) -> u128 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The same name as the rest of the node writes it.
    #[must_use]
    pub fn queue_id(self) -> Option<QueueId> {
        QueueId::new(&self.to_string())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;

    #[test]
    fn names_are_queue_ids_and_come_back() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(0x6554_0000);
        let id = Id::made(at, [0xab; 12]);
        assert_eq!(id.to_string(), "65540000abababababababababababab");
        assert_eq!(id.queue_id().and_then(|name| Id::parse(name.as_str())), Some(id));
        for other in ["", "0a", "65540000ABABABABABABABABABABABAB", "+5540000abababababababababababab"] {
            assert_eq!(Id::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_clock_that_stands_still_repeats_nothing() {
        let ids: HashSet<Id> = (0..10_000).map(|_| Id::fresh(SystemTime::UNIX_EPOCH).unwrap()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
