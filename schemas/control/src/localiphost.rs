//! `localiphost`: the domain for mail to our address in brackets.

use crate::lines::host_file;

host_file!(
    /// The domain that `user@[our address]` means.
    Localiphost, "localiphost", &[],
    "The domain meant by a recipient at our own address in brackets: `ada@[192.0.2.10]`."
);
