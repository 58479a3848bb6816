//! `defaulthost`: completes addresses without a host.

use crate::lines::host_file;

host_file!(
    /// The host appended to addresses without one.
    Defaulthost, "defaulthost", &["smtpd", "local"],
    "The host appended to addresses without one."
);
