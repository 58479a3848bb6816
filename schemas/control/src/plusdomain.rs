//! `plusdomain`: the domain that a trailing plus in a host name stands for.

use crate::lines::host_file;

host_file!(
    /// The domain put for a trailing plus.
    Plusdomain, "plusdomain", &[],
    "The domain put for the plus at the end of a host name, in mail that is made here: `ada@lab+`."
);
