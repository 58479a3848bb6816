//! `databytes`: the largest accepted message.

use crate::lines::integer_file;

integer_file!(
    /// The largest message that is accepted, in octets; 0 without a limit.
    Databytes(u64), "databytes", 0, 0..=u64::MAX, &["smtpd"],
    "The largest message that is accepted, in octets; 0 without a limit."
);
