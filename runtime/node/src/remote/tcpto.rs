//! Addresses that let connections time out (qmail's `tcpto`): after two time-outs an address is left alone for an hour,
//! so that one dead host with many messages does not fill every place of `concurrencyremote`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Time-outs by address; lives as long as the process.
#[derive(Debug, Default)]
pub(crate) struct Timeouts(HashMap<IpAddr, (u32, Instant)>);

impl Timeouts {
    /// Whether the address is left alone at the moment.
    pub(crate) fn is_dead(&self, address: IpAddr, now: Instant) -> bool {
        self.0.get(&address).is_some_and(|(count, last)| *count >= 2 && now.duration_since(*last) < REST)
    }

    /// A connection timed out. Attempts at the same time count once.
    pub(crate) fn note(&mut self, address: IpAddr, now: Instant) {
        if self.0.len() >= LIMIT {
            self.0.retain(|_, (_, last)| now.duration_since(*last) < REST);
        }
        let (count, last) = self.0.entry(address).or_insert((0, now));
        if *count == 0 || now.duration_since(*last) >= APART {
            *count += 1;
            *last = now;
        }
    }

    /// The address has answered.
    pub(crate) fn clear(&mut self, address: IpAddr) {
        self.0.remove(&address);
    }
}

const REST: Duration = Duration::from_secs(3600);
const APART: Duration = Duration::from_secs(120);
const LIMIT: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_timeouts_give_an_hours_rest() {
        let (mut timeouts, start) = (Timeouts::default(), Instant::now());
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let at = |seconds| start + Duration::from_secs(seconds);
        timeouts.note(address, at(0));
        timeouts.note(address, at(10));
        assert!(!timeouts.is_dead(address, at(11)), "both belong together");
        timeouts.note(address, at(400));
        assert!(timeouts.is_dead(address, at(401)));
        assert!(!timeouts.is_dead("192.0.2.2".parse().unwrap(), at(401)));
        assert!(!timeouts.is_dead(address, at(4001)));
        timeouts.clear(address);
        timeouts.note(address, at(4002));
        assert!(!timeouts.is_dead(address, at(4003)));
    }
}
