//! `brtlimit`: refused recipients before the connection is closed.

use crate::lines::integer_file;

integer_file!(
    /// Refused recipients of one connection before it is closed with 421 (the badrcptto patch's limit).
    Brtlimit(u32), "brtlimit", 50, 1..=100_000, &["smtpd"],
    "Refused recipients of one connection before it is closed with 421 (the badrcptto patch's limit)."
);
