//! `doublebounceto`: the local part of the address that gets undeliverable notices.

use crate::lines::local_part_file;

local_part_file!(
    /// The local part of the address that gets double bounces.
    Doublebounceto, "doublebounceto", "postmaster", &["queued"],
    "The local part of the address that gets double bounces."
);
