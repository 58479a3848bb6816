//! Fuzz targets: functions that take any octets and panic when a promise is broken. Knows nothing about where octets
//! come from. Start at [`TARGETS`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a target panics when a promise is broken")]

mod control;
mod journal;
mod kept;
mod mutation;
mod routing;
mod shown;
mod site;

pub use control::{cdb, control, dot_qmail, tcprules, users_assign};
pub use journal::segment;
pub use kept::{blueprint, secrets_lock};
pub use mutation::Mutation;
pub use routing::routing;
pub use site::{csv, jsonl, site};

/// The name of a target, which is also that of its corpus, and the target itself.
pub type Target = (&'static str, fn(&[u8]));

/// All targets with their names.
pub const TARGETS: &[Target] = &[
    ("csv", csv),
    ("jsonl", jsonl),
    ("site", site),
    ("secrets_lock", secrets_lock),
    ("blueprint", blueprint),
    ("routing", routing),
    ("control", control),
    ("cdb", cdb),
    ("dot_qmail", dot_qmail),
    ("tcprules", tcprules),
    ("users_assign", users_assign),
    ("segment", segment),
];
