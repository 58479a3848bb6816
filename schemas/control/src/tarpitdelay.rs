//! `tarpitdelay`: the delay of late answers.

use crate::lines::integer_file;

integer_file!(
    /// Seconds before the answer to each recipient over `tarpitcount`.
    Tarpitdelay(u32), "tarpitdelay", 5, 0..=300, &[],
    "Seconds before the answer to each recipient over `tarpitcount`."
);
