//! `maxrcpt`: recipients per message.

use crate::lines::integer_file;

integer_file!(
    /// Recipients per message; each further one is answered with 452 (RFC 5321 §4.5.3.1.10). At least 100 keeps
    /// to the RFC.
    Maxrcpt(u32), "maxrcpt", 1000, 1..=100_000, &["smtpd"],
    "Recipients per message; each further one is answered with 452 (RFC 5321 §4.5.3.1.10). At least 100 keeps to the RFC."
);
