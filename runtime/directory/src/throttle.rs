//! [`Throttle`]: a peer that guesses passwords waits, and waiting peers take no place that others need. Knows addresses
//! and times, not names: locking a name would let a stranger lock a person out.
//!
//! There are two measures. Each address has its own failures, as the calling role reports it. Because that role may be
//! deceived or lie, all failures from it are counted together too: when they are many, addresses that never gave a
//! right password wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The failures that one calling role has brought so far, by peer, for at most [`Throttle::PEERS`] peers.
#[derive(Debug, Default)]
pub struct Throttle {
    peers: HashMap<IpAddr, Failures>,
    /// Peers that gave a right password, with the time of the last one.
    known: HashMap<IpAddr, Instant>,
    /// The time when the failures of all peers together are forgiven.
    forgiven: Option<Instant>,
    waiting: HashMap<IpAddr, usize>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

/// The time of a peer's next answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The peer is answered at once.
    Now,
    /// The peer is answered after this time. It counts as waiting until [`Throttle::waited`].
    After(Duration),
    /// Too many are waiting already: the peer has to try again later.
    Later,
}

impl Throttle {
    /// The number of peers that are remembered; beyond that the one seen longest ago is forgotten.
    pub const PEERS: usize = 10_000;

    /// The time at which this peer's password is checked.
    pub fn when(&mut self, peer: IpAddr, now: Instant) -> When {
        let peer = network_of(peer);
        let delay = self.own(peer, now).max(self.shared(peer, now));
        if delay.is_zero() {
            return When::Now;
        }
        let all: usize = self.waiting.values().sum();
        let own = self.waiting.get(&peer).copied().unwrap_or_default();
        if delay > LONGEST || own >= WAITING_OF_ONE || all >= WAITING {
            return When::Later;
        }
        self.waiting.insert(peer, own + 1);
        When::After(delay)
    }

    /// The failures of this peer that count now.
    #[must_use]
    pub fn failures(&self, peer: IpAddr, now: Instant) -> u32 {
        self.peers.get(&network_of(peer)).map_or(0, |failures| failures.left(now))
    }

    /// A peer that had to wait has waited.
    pub fn waited(&mut self, peer: IpAddr) {
        let peer = network_of(peer);
        match self.waiting.get_mut(&peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.waiting.remove(&peer)),
        }
    }

    /// The peer gave a wrong password.
    pub fn failed(&mut self, peer: IpAddr, now: Instant) {
        let peer = network_of(peer);
        let count = self.peers.get(&peer).map_or(0, |failures| failures.left(now));
        remember(&mut self.peers, peer, Failures { count: count.saturating_add(1), last: now }, |peer| peer.last);
        self.forgiven = Some(self.forgiven.map_or(now, |forgiven| forgiven.max(now)) + FORGIVEN);
    }

    /// The peer gave the right password.
    pub fn succeeded(&mut self, peer: IpAddr, now: Instant) {
        let peer = network_of(peer);
        self.peers.remove(&peer);
        remember(&mut self.known, peer, now, |last| *last);
    }

    /// The time that this peer waits for its own failures: 1, 2, 4, 8, then 15 seconds, below the patience of clients.
    fn own(&self, peer: IpAddr, now: Instant) -> Duration {
        let over = self.peers.get(&peer).map_or(0, |failures| failures.left(now).saturating_sub(FREE));
        if over == 0 { Duration::ZERO } else { Duration::from_secs(1 << (over - 1).min(10)).min(LONGEST) }
    }

    /// The time that this peer waits for others' failures: until only [`FREE_IN_TOTAL`] of them are left.
    fn shared(&self, peer: IpAddr, now: Instant) -> Duration {
        if self.known.contains_key(&peer) {
            return Duration::ZERO;
        }
        let left = self.forgiven.map_or(Duration::ZERO, |forgiven| forgiven.saturating_duration_since(now));
        left.saturating_sub(FORGIVEN * FREE_IN_TOTAL)
    }
}

/// Keeps one more peer, in place of the one that was seen longest ago when there are too many.
fn remember<T>(peers: &mut HashMap<IpAddr, T>, peer: IpAddr, value: T, seen: impl Fn(&T) -> Instant) {
    if peers.len() >= Throttle::PEERS && !peers.contains_key(&peer) {
        let oldest = peers.iter().min_by_key(|(_, value)| seen(value)).map(|(peer, _)| *peer);
        oldest.and_then(|oldest| peers.remove(&oldest));
    }
    peers.insert(peer, value);
}

impl Failures {
    /// The number of failures that count now: one is forgiven for each minute without another.
    fn left(&self, now: Instant) -> u32 {
        let minutes = now.saturating_duration_since(self.last).as_secs() / 60;
        self.count.saturating_sub(u32::try_from(minutes).unwrap_or(u32::MAX))
    }
}

/// The network by which an IPv6 peer is known: a person has at least a /64 to call from.
#[must_use]
pub fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(peer) => IpAddr::V4(peer),
        IpAddr::V6(peer) => IpAddr::V6((peer.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

/// The number of failures that cost nothing: people mistype, and programs keep an old password.
const FREE: u32 = 5;
const LONGEST: Duration = Duration::from_secs(15);
/// The time that one failure counts among those of all peers.
const FORGIVEN: Duration = Duration::from_secs(1);
/// The number of failures of all peers together that cost nothing: enough for an office whose password expired, on a
/// Monday.
const FREE_IN_TOTAL: u32 = 300;
/// The number of requests of one peer that may wait at a time, and of all peers. Both are fewer than a caller's
/// conversations.
const WAITING_OF_ONE: usize = 8;
const WAITING: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + number).into())
    }

    #[test]
    fn guessing_gets_slower_and_is_forgiven_with_time() {
        let start = Instant::now();
        let peer = address(1);
        let mut throttle = Throttle::default();
        let check = |throttle: &mut Throttle, minutes: u64, seconds: u64| {
            let when = throttle.when(peer, start + Duration::from_secs(60 * minutes));
            let expected = if seconds == 0 { When::Now } else { When::After(Duration::from_secs(seconds)) };
            assert_eq!(when, expected, "after {minutes} minutes");
            throttle.waited(peer);
        };
        check(&mut throttle, 0, 0);
        for _ in 0..5 {
            throttle.failed(peer, start);
        }
        check(&mut throttle, 0, 0);
        for _ in 0..3 {
            throttle.failed(peer, start);
        }
        check(&mut throttle, 0, 4);
        check(&mut throttle, 1, 2);
        check(&mut throttle, 3, 0);
        for _ in 0..40 {
            throttle.failed(peer, start);
        }
        check(&mut throttle, 0, 15);
        assert_eq!(throttle.when(address(2), start), When::Now);
        throttle.succeeded(peer, start);
        check(&mut throttle, 0, 0);
    }

    #[test]
    fn guessing_from_many_addresses_makes_strangers_wait_and_nobody_who_is_known() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        let (known, stranger) = (address(1), address(2));
        throttle.succeeded(known, start);
        for number in 0..FREE_IN_TOTAL {
            assert_eq!(throttle.when(stranger, start), When::Now, "{number}");
            throttle.failed(address(1000 + number), start);
        }
        for number in 0..5 {
            throttle.failed(address(2000 + number), start);
        }
        assert_eq!(throttle.when(known, start), When::Now);
        assert_eq!(throttle.when(stranger, start), When::After(Duration::from_secs(5)));
        assert_eq!(throttle.when(stranger, start + Duration::from_secs(5)), When::Now);
        for number in 0..60 {
            throttle.failed(address(3000 + number), start);
        }
        assert_eq!(throttle.when(stranger, start), When::Later);
        assert_eq!(throttle.when(known, start), When::Now);
    }

    #[test]
    fn who_waits_leaves_room_for_others() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        let mut guess = |number: u32| {
            for _ in 0..=FREE {
                throttle.failed(address(number), start);
            }
            let all = (0..WAITING_OF_ONE + 2).map(|_| throttle.when(address(number), start));
            all.filter(|when| *when != When::Later).count()
        };
        assert_eq!(guess(1), WAITING_OF_ONE);
        let all: usize = (2..40).map(&mut guess).sum();
        assert_eq!(all + WAITING_OF_ONE, WAITING);
        throttle.waited(address(1));
        assert!(matches!(throttle.when(address(1), start), When::After(_)));
        assert_eq!(throttle.when(address(1), start), When::Later);
    }

    #[test]
    fn the_memory_is_bounded() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        for number in 0..Throttle::PEERS + 10 {
            let number = u32::try_from(number).unwrap();
            let now = start + Duration::from_millis(number.into());
            throttle.failed(address(number), now);
            throttle.succeeded(address(number + 20_000), now);
        }
        assert_eq!((throttle.peers.len(), throttle.known.len()), (Throttle::PEERS, Throttle::PEERS));
    }
}
