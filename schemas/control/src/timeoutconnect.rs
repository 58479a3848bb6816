//! `timeoutconnect`: patience with a connection attempt.

use crate::lines::integer_file;

integer_file!(
    /// Seconds to wait for a connection to another host.
    Timeoutconnect(u64), "timeoutconnect", 60, 1..=86_400, &["remote"],
    "Seconds to wait for a connection to another host."
);
