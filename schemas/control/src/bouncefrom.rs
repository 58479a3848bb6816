//! `bouncefrom`: the local part that failure notices come from.

use crate::lines::local_part_file;

local_part_file!(
    /// The local part in the From field of failure notices.
    Bouncefrom, "bouncefrom", "MAILER-DAEMON", &["queued"],
    "The local part in the From field of failure notices."
);
