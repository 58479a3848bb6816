//! `helohost`: the name by which we greet other hosts.

use crate::lines::host_file;

host_file!(
    /// The name this host gives in EHLO and HELO.
    Helohost, "helohost", &["remote"],
    "The name this host gives in EHLO and HELO."
);
