//! `bouncehost`: the host that failure notices come from.

use crate::lines::host_file;

host_file!(
    /// The host in the From field of failure notices.
    Bouncehost, "bouncehost", &["queued"],
    "The host in the From field of failure notices."
);
