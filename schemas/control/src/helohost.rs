//! `helohost`: the name we greet other hosts with.

use crate::lines::host_file;

host_file!(
    /// The name this host gives in EHLO and HELO.
    Helohost, "helohost", &["remote"],
    "The name this host gives in EHLO and HELO."
);
