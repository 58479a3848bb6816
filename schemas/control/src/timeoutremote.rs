//! `timeoutremote`: patience with another host.

use crate::lines::integer_file;

integer_file!(
    /// Seconds to wait for each answer of another host.
    Timeoutremote(u64), "timeoutremote", 1200, 1..=86_400, &["remote"],
    "Seconds to wait for each answer of another host."
);
