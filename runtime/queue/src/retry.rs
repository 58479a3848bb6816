//! The times at which a deferred message is tried again: qmail-send's quadratic schedule, per message and channel,
//! never randomised.

use std::time::{Duration, SystemTime};

/// The two ways out of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Delivery by the role `local`.
    Local,
    /// Delivery by the role `remote`.
    Remote,
}

impl Channel {
    /// qmail's `chanskip`: the root of the first interval, in seconds.
    const fn skip(self) -> u64 {
        match self {
            Self::Local => 10,
            Self::Remote => 20,
        }
    }
}

/// The time of the next attempt when one begins at `now`: `arrived + (isqrt(age) + skip)²`. A clock that went back
/// counts as age zero.
#[must_use]
pub fn next_attempt(arrived: SystemTime, now: SystemTime, channel: Channel) -> SystemTime {
    let root = age(arrived, now).as_secs().isqrt().saturating_add(channel.skip());
    let wait = Duration::from_secs(root.saturating_mul(root));
    arrived.checked_add(wait).unwrap_or(now + Duration::from_secs(86400))
}

/// Whether an attempt that begins at `now` is the last one.
#[must_use]
pub fn is_last(arrived: SystemTime, now: SystemTime, lifetime: Duration) -> bool {
    age(arrived, now) > lifetime
}

fn age(arrived: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(arrived).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(channel: Channel, expected: &[u64]) {
        let arrived = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let mut now = arrived;
        for seconds in expected {
            assert_eq!(now, arrived + Duration::from_secs(*seconds));
            now = next_attempt(arrived, now, channel);
        }
    }

    #[test]
    fn attempts_come_at_qmails_times() {
        check(Channel::Remote, &[0, 400, 1600, 3600, 6400, 10000]);
        check(Channel::Local, &[0, 100, 400, 900]);
    }

    #[test]
    fn a_clock_that_went_back_does_no_harm() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let arrived = now + Duration::from_secs(500);
        assert_eq!(next_attempt(arrived, now, Channel::Local), arrived + Duration::from_secs(100));
        assert!(!is_last(arrived, now, Duration::ZERO));
    }
}
