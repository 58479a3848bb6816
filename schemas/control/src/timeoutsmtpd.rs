//! `timeoutsmtpd`: patience with a client.

use crate::lines::integer_file;

integer_file!(
    /// Seconds to wait for each piece of input from a client.
    Timeoutsmtpd(u64), "timeoutsmtpd", 1200, 1..=86_400, &["smtpd"],
    "Seconds to wait for each piece of input from a client."
);
