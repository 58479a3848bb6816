//! `tarpitcount`: recipients before each further one is answered late.

use crate::lines::integer_file;

integer_file!(
    /// Recipients of a message before each further one is answered late; 0: never.
    Tarpitcount(u32), "tarpitcount", 0, 0..=100_000, &[],
    "Recipients of a message before each further one is answered late (`tarpitdelay`); 0: never."
);
