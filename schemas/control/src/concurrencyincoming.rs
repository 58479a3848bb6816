//! `concurrencyincoming`: clients served at the same time.

use crate::lines::integer_file;

integer_file!(
    /// Clients served at the same time, on the ports 25, 587 and 465 together; further ones wait (tcpserver's `-c`).
    Concurrencyincoming(u32), "concurrencyincoming", 500, 1..=10_000, &["smtpd"],
    "Clients served at the same time, on the ports 25, 587 and 465 together; further ones wait (tcpserver's `-c`)."
);
