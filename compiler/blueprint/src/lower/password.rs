//! Password hashes: only forms the node can verify. A hash never appears in a message.

use postkiln_site as site;
use postkiln_site::Placed;
use sha2::{Digest, Sha256};

use crate::codes;
use crate::findings::{Findings, Hint};
use crate::model::Password;

/// Checks the form.
pub(super) fn lower(password: Option<&Placed<site::Password>>, findings: &mut Findings) -> Password {
    match password.map(|password| (&password.value, &password.place)) {
        None => Password::None,
        Some((site::Password::Secret(name), _)) => Password::Secret(name.clone()),
        Some((site::Password::Hash(hash), place)) => {
            if let Err(problem) = check(hash) {
                findings
                    .add(codes::PASSWORD_HASH, place, format!("this is no password hash that the node can verify: {problem}"))
                    .hint("`mkpasswd -m sha512crypt` (package whois) makes `$6$…`, `argon2 SALT -id -e` makes `$argon2id$…`");
            }
            let digest = Sha256::digest(hash.as_bytes());
            let fingerprint = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            Password::Hash { fingerprint, hash: hash.clone() }
        }
    }
}

/// Says that nobody can log in where that is surprising.
pub(super) fn warn(
    password: &Password,
    has_mailbox: bool,
    address: &str,
    user: &Placed<site::User>,
    findings: &mut Findings,
) {
    let place = user.value.password.as_ref().map_or(&user.place, |password| &password.place);
    match password {
        Password::Secret(name) => {
            let message = format!("{address} cannot log in: the secret {name:?} is not delivered to the node yet");
            findings.add(codes::SECRET_PASSWORD, place, message).hint("use `password = { hash = \"…\" }` for now");
        }
        Password::None if has_mailbox => {
            findings
                .add(codes::NO_PASSWORD, place, format!("{address} has a mailbox and no password: nobody can log in"))
                .hint("give it `password = { hash = \"…\" }`");
        }
        Password::None | Password::Hash { .. } => {}
    }
}

fn check(hash: &str) -> Result<(), &'static str> {
    let mut parts = hash.split('$').skip(1);
    match (hash.starts_with('$'), parts.next()) {
        (true, Some("argon2id")) => argon2id(parts),
        (true, Some("6")) => sha_crypt(parts, 86),
        (true, Some("5")) => sha_crypt(parts, 43),
        (true, Some("1")) => Err("MD5 hashes are too weak"),
        (true, Some(_)) => Err("its kind is not known here"),
        _ => Err("it does not begin with `$argon2id$`, `$6$` or `$5$`"),
    }
}

/// `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH` (RFC 9106, PHC string format).
fn argon2id<'a>(mut parts: impl Iterator<Item = &'a str>) -> Result<(), &'static str> {
    let bad = "its parameters are not `v=19$m=…,t=…,p=…$SALT$HASH`";
    let (Some("v=19"), Some(costs), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad);
    };
    let mut numbers =
        costs.split(',').zip(["m=", "t=", "p="]).map(|(cost, name)| cost.strip_prefix(name)?.parse::<u32>().ok());
    let (Some(Some(memory)), Some(Some(passes)), Some(Some(lanes))) = (numbers.next(), numbers.next(), numbers.next())
    else {
        return Err(bad);
    };
    let base64 = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    if costs.split(',').count() != 3 || !base64(salt) || !base64(hash) || salt.len() < 11 || hash.len() < 22 {
        return Err(bad);
    }
    // RFC 9106 §3.1: at least 8 KiB per lane. Each login pays these costs, so they are bounded above as well.
    if passes == 0 || lanes == 0 || memory < lanes.saturating_mul(8) {
        return Err("its costs are below what Argon2 allows");
    }
    if memory > 1 << 20 || passes > 64 || lanes > 64 {
        return Err("its costs are over 1 GiB, 64 passes or 64 lanes");
    }
    Ok(())
}

/// `$6$[rounds=N$]SALT$HASH`: SHA-crypt.
fn sha_crypt<'a>(parts: impl Iterator<Item = &'a str>, length: usize) -> Result<(), &'static str> {
    let parts: Vec<&str> = parts.collect();
    let (rounds, salt, hash) = match *parts.as_slice() {
        [salt, hash] => (None, salt, hash),
        [rounds, salt, hash] => (Some(rounds), salt, hash),
        _ => return Err("it is not `$SALT$HASH` after its kind"),
    };
    if let Some(rounds) = rounds {
        let rounds = rounds.strip_prefix("rounds=").and_then(|rounds| rounds.parse::<u32>().ok());
        if !rounds.is_some_and(|rounds| (1000..=10_000_000).contains(&rounds)) {
            return Err("its rounds are not between 1000 and 10000000");
        }
    }
    let crypt64 = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/');
    if salt.is_empty() || salt.len() > 16 || !crypt64(salt) {
        return Err("its salt is not 1 to 16 characters of `./0-9A-Za-z`");
    }
    if hash.len() != length || !crypt64(hash) {
        return Err("its last part has the wrong length");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forms_that_can_be_verified_pass() {
        let sha512 = "a".repeat(86);
        let sha256 = "a".repeat(43);
        let good = [
            format!("$6$salt${sha512}"),
            format!("$6$rounds=5000$salt${sha512}"),
            format!("$5$salt${sha256}"),
            format!("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzYWx0${sha256}"),
        ];
        for hash in &good {
            assert_eq!(check(hash), Ok(()), "{hash}");
        }
        let bad = [
            String::new(),
            "secret".to_owned(),
            "$6$".to_owned(),
            format!("$6$salt${sha256}"),
            format!("$6$rounds=1$salt${sha512}"),
            format!("$6$a salt${sha512}"),
            "$1$salt$abcdefghijklmnopqrstuv".to_owned(),
            "$2y$10$abcdefghijklmnopqrstuv".to_owned(),
            format!("$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzYWx0${sha256}"),
            format!("$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHRzYWx0${sha256}"),
            format!("$argon2id$v=19$m=4,t=2,p=1$c29tZXNhbHRzYWx0${sha256}"),
            format!("$argon2id$v=19$m=19456,t=2$c29tZXNhbHRzYWx0${sha256}"),
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzYWx0$".to_owned(),
        ];
        for hash in &bad {
            assert!(check(hash).is_err(), "{hash}");
        }
    }
}
