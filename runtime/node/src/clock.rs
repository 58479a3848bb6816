//! Moments as numbers. A clock before 1970, which was never set, counts as 1970.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds of a moment.
pub(crate) fn seconds(moment: SystemTime) -> u64 {
    moment.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

/// Unix seconds of a moment, as status, listings and the user database have them.
pub(crate) fn signed(moment: SystemTime) -> i64 {
    i64::try_from(seconds(moment)).unwrap_or(i64::MAX)
}
