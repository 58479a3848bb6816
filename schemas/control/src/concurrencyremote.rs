//! `concurrencyremote`: parallel remote deliveries.

use crate::lines::integer_file;

integer_file!(
    /// Deliveries to other hosts at the same time; 0 holds them.
    Concurrencyremote(u32), "concurrencyremote", 20, 0..=1000, &["queued"],
    "Deliveries to other hosts at the same time; 0 holds them."
);
