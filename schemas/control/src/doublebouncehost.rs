//! `doublebouncehost`: the host of the address that gets undeliverable notices.

use crate::lines::host_file;

host_file!(
    /// The host of the address that gets double bounces.
    Doublebouncehost, "doublebouncehost", &["queued"],
    "The host of the address that gets double bounces."
);
