//! `concurrencylocal`: parallel local deliveries.

use crate::lines::integer_file;

integer_file!(
    /// Deliveries to mailboxes at the same time; 0 holds them.
    Concurrencylocal(u32), "concurrencylocal", 10, 0..=1000, &["queued"],
    "Deliveries to mailboxes at the same time; 0 holds them."
);
