//! `spfbehavior`: what follows from a sender's SPF record.

use crate::lines::integer_file;

integer_file!(
    /// The consequence of a sender's SPF record: the SPF patch's steps 0 to 6.
    Spfbehavior(u32), "spfbehavior", 0, 0..=6, &[],
    "What follows from a sender's SPF record: 0 nothing, 1 a header field, 2 defer while the DNS does not answer, 3 refuse fail, 4 softfail too, 5 neutral too, 6 none too."
);
