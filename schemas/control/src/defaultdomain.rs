//! `defaultdomain`: completes short host names.

use crate::lines::host_file;

host_file!(
    /// The domain appended to host names without a dot.
    Defaultdomain, "defaultdomain", &["smtpd", "local"],
    "The domain appended to host names without a dot."
);
