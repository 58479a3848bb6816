//! `idhost`: the domain in the Message-IDs that we make.

use crate::lines::host_file;

host_file!(
    /// The domain of Message-IDs.
    Idhost, "idhost", &[],
    "The domain of the Message-IDs of mail that is made here."
);
