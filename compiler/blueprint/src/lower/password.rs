//! First passwords. Their form was checked when the site was read; a hash never appears in a message.

use std::fmt;

use postkiln_site as site;
use postkiln_site::{Place, Placed};
use sha2::{Digest, Sha256};

use crate::codes;
use crate::findings::Findings;
use crate::model::Password;

/// The first password, with a hash known by its fingerprint.
pub(super) fn lower(password: Option<&site::Password>) -> Password {
    match password {
        None => Password::None,
        Some(site::Password::Secret(name)) => Password::Secret(name.clone()),
        Some(site::Password::Hash(hash)) => {
            let digest = Sha256::digest(hash.as_bytes());
            let first = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
            let fingerprint = format!("{first:016x}");
            Password::Hash { fingerprint, hash: hash.clone() }
        }
    }
}

/// Warns where it is surprising that nobody can log in.
pub(super) fn warn(
    password: &Password,
    has_mailbox: bool,
    address: fmt::Arguments<'_>,
    user: &Placed<site::User>,
    findings: &mut Findings,
) {
    let place = user.value.password.as_ref().map_or(&user.place, |password| &password.place);
    match password {
        Password::Secret(name) => {
            let message =
                format!("{address} cannot log in on an appliance: the secret {name:?} is not delivered there yet");
            findings.add(codes::UNDELIVERED, place, message).hint(hint(place, "for now, "));
        }
        Password::None if has_mailbox => {
            findings
                .add(codes::NO_PASSWORD, place, format!("{address} has a mailbox and no password: nobody can log in"))
                .hint(hint(place, ""));
        }
        Password::None | Password::Hash { .. } => {}
    }
}

/// Advice in the words of the place: in a row of a file the field has another name.
fn hint(place: &Place, when: &str) -> String {
    let is_row = matches!(place.file.rsplit('.').next(), Some("csv" | "jsonl"));
    let form = if is_row { "a `password_hash`" } else { "`password = { hash = \"…\" }`" };
    format!("{when}give it {form}")
}
