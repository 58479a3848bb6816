//! Password checks: `$argon2id$`, and the `$6$` and `$5$` of crypt(3). They are slow on purpose and never yield, so
//! they must run on a thread of their own.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use sha_crypt::ShaCrypt;

/// Whether the password agrees with the hash. Without a hash (no such user, or one who cannot log in) the same work is
/// done for nothing with `sample`, another user's hash, so that the time taken does not tell which names exist.
#[must_use]
pub fn agrees(hash: Option<&str>, sample: Option<&str>, password: &str) -> bool {
    // Nobody has a longer password, and the cost of crypt grows with the length.
    if password.len() > LONGEST {
        return false;
    }
    let agrees = verify(hash.or(sample).unwrap_or(DUMMY), password);
    agrees && hash.is_some()
}

/// A new hash of a password, in the form [`agrees`] knows best. `salt` is random.
#[must_use]
pub fn hash(password: &str, salt: [u8; 16]) -> Option<String> {
    let salt = SaltString::encode_b64(&salt).ok()?;
    argon2::Argon2::default().hash_password(password.as_bytes(), &salt).ok().map(|hash| hash.to_string())
}

fn verify(hash: &str, password: &str) -> bool {
    if hash.starts_with("$argon2") {
        let Ok(parsed) = PasswordHash::new(hash) else { return false };
        return argon2::Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    }
    if hash.starts_with("$6$") || hash.starts_with("$5$") {
        let crypt = ShaCrypt::default();
        return sha_crypt::PasswordVerifier::<str>::verify_password(&crypt, password.as_bytes(), hash).is_ok();
    }
    false
}

/// The hash of a password that nobody knows, with argon2's usual parameters.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRvbmx5$4DdkVZBwq6lUCa3nuTqFJUtGWqQxbrUzqkGuSmEsuQA";
/// The longest password that is checked, in octets.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hash: &str, password: &str, expected: bool) {
        assert_eq!(agrees(Some(hash), None, password), expected, "{hash} {password}");
    }

    #[test]
    fn known_hashes_agree_with_their_passwords() {
        // Hashes as crypt(3) of glibc makes them.
        let six =
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
        let five = "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5";
        let rounds = "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.";
        check(rounds, "Hello world!", true);
        check(six, "Hello world!", true);
        check(six, "hello world!", false);
        check(five, "Hello world!", true);
        check(five, "", false);
        check("$1$x$y", "y", false);
        check("", "", false);
        check("$argon2id$nonsense", "x", false);
    }

    #[test]
    fn argon2_agrees_and_the_dummy_is_well_formed() {
        let hash = hash("demonstration", *b"a salt of octets").unwrap();
        check(&hash, "demonstration", true);
        check(&hash, "Demonstration", false);
        assert!(PasswordHash::new(DUMMY).is_ok(), "or unknown names would be answered at once");
        assert!(!agrees(None, None, "anything"));
        assert!(!agrees(None, Some(&hash), "demonstration"), "another user's password opens nothing");
    }
}
