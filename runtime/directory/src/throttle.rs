//! [`Throttle`]: who guesses passwords waits. Knows addresses and times, not names: locking a name would let a stranger
//! lock a person out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Failures by peer, of at most [`Throttle::PEERS`] peers.
#[derive(Debug, Default)]
pub struct Throttle(HashMap<IpAddr, Failures>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Throttle {
    /// How many peers are remembered; then the one that failed longest ago is forgotten.
    pub const PEERS: usize = 10_000;

    /// How long this peer has to wait for its next answer.
    #[must_use]
    pub fn delay(&self, peer: IpAddr, now: Instant) -> Duration {
        let Some(failures) = self.0.get(&group(peer)) else { return Duration::ZERO };
        let over = failures.left(now).saturating_sub(FREE);
        // 1, 2, 4, 8, then 15 seconds: below what clients wait for.
        if over == 0 { Duration::ZERO } else { Duration::from_secs(1 << (over - 1).min(10)).min(LONGEST) }
    }

    /// The peer gave a wrong password.
    pub fn failed(&mut self, peer: IpAddr, now: Instant) {
        let peer = group(peer);
        if self.0.len() >= Self::PEERS && !self.0.contains_key(&peer) {
            let oldest = self.0.iter().min_by_key(|(_, failures)| failures.last).map(|(peer, _)| *peer);
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
        let count = self.0.get(&peer).map_or(0, |failures| failures.left(now));
        self.0.insert(peer, Failures { count: count.saturating_add(1), last: now });
    }

    /// The peer gave the right password.
    pub fn succeeded(&mut self, peer: IpAddr) {
        self.0.remove(&group(peer));
    }
}

impl Failures {
    /// One failure is forgiven for each minute without another.
    fn left(&self, now: Instant) -> u32 {
        let minutes = now.saturating_duration_since(self.last).as_secs() / 60;
        self.count.saturating_sub(u32::try_from(minutes).unwrap_or(u32::MAX))
    }
}

/// A person with IPv6 has at least a /64 to call from.
fn group(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(peer) => IpAddr::V4(peer),
        IpAddr::V6(peer) => IpAddr::V6((peer.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

/// Mistakes that cost nothing: people mistype, and programs keep an old password.
const FREE: u32 = 5;
const LONGEST: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_and_is_forgiven_with_time() {
        let start = Instant::now();
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        let mut throttle = Throttle::default();
        let check = |throttle: &Throttle, minutes: u64, seconds: u64| {
            let at = start + Duration::from_secs(60 * minutes);
            assert_eq!(throttle.delay(peer, at), Duration::from_secs(seconds), "after {minutes} minutes");
        };
        check(&throttle, 0, 0);
        for _ in 0..5 {
            throttle.failed(peer, start);
        }
        check(&throttle, 0, 0);
        for _ in 0..3 {
            throttle.failed(peer, start);
        }
        check(&throttle, 0, 4);
        check(&throttle, 1, 2);
        check(&throttle, 3, 0);
        for _ in 0..40 {
            throttle.failed(peer, start);
        }
        check(&throttle, 0, 15);
        assert_eq!(throttle.delay("192.0.2.2".parse().unwrap(), start), Duration::ZERO);
        throttle.succeeded(peer);
        check(&throttle, 0, 0);
    }

    #[test]
    fn the_memory_is_bounded() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        for number in 0..Throttle::PEERS + 10 {
            let number = u32::try_from(number).unwrap();
            throttle.failed(IpAddr::V4(number.into()), start + Duration::from_millis(number.into()));
        }
        assert_eq!(throttle.0.len(), Throttle::PEERS);
    }
}
