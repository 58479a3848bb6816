//! `queuelifetime`: how long a message may wait.

use crate::lines::integer_file;

integer_file!(
    /// Seconds a message may stay in the queue before its deferrals become failures.
    Queuelifetime(u64), "queuelifetime", 604_800, 0..=u64::MAX, &["queued"],
    "Seconds a message may stay in the queue before its deferrals become failures."
);
