//! The pair of key and certificate in `keys/`: one that a person put there, else one of our own making, which nobody
//! else vouches for.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use postkiln_log::Event;
use postkiln_sys::sync;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use zeroize::Zeroizing;

use super::signing::{Signing, SigningError};
use crate::clock;
use crate::error::{During, NodeError};

/// Reads `tls.key` and `tls.crt`, or makes them. `tls.name` says for which host we made them; a pair without it was
/// put there by a person and is never replaced.
pub(super) fn open(folder: &Path, hostname: &str) -> Result<Signing, NodeError> {
    let made_for = fs::read_to_string(folder.join("tls.name")).ok();
    let theirs = made_for.is_none() && folder.join("tls.key").exists();
    if !theirs && (made_for.as_deref() != Some(hostname) || !folder.join("tls.crt").exists()) {
        make(folder, hostname).during(|| "cannot make a certificate".to_owned())?;
    }
    let read = |name: &str| fs::read_to_string(folder.join(name)).during(|| format!("keys/{name}"));
    let key = Zeroizing::new(read("tls.key")?);
    let problem = |error: SigningError| {
        NodeError::Machine(format!("keys/tls.crt, keys/tls.key: {}", postkiln_log::chain(&error)))
    };
    Signing::new(read("tls.crt")?.as_bytes(), &key).map_err(problem)
}

/// Makes a key and a certificate. The name comes last: a crash before it makes the next start begin anew.
fn make(folder: &Path, hostname: &str) -> io::Result<()> {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(io::Error::other)?;
    let mut params = CertificateParams::new([hostname.to_owned()]).map_err(io::Error::other)?;
    params.distinguished_name = DistinguishedName::new();
    // RFC 5280: a common name has at most 64 characters; the host name counts where it is a subjectAltName.
    let common: String = hostname.chars().take(64).collect();
    params.distinguished_name.push(DnType::CommonName, common);
    let year = year(SystemTime::now());
    params.not_before = rcgen::date_time_ymd(year - 1, 1, 1);
    params.not_after = rcgen::date_time_ymd(year + 10, 1, 1);
    let certificate = params.self_signed(&pair).map_err(io::Error::other)?;
    let name = folder.join("tls.name");
    match fs::remove_file(&name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // A half-made pair of ours must not look like a person's: that one has no `tls.name` either.
    sync::replace(&name, b"", 0o600)?;
    sync::replace(&folder.join("tls.key"), pair.serialize_pem().as_bytes(), 0o600)?;
    sync::replace(&folder.join("tls.crt"), certificate.pem().as_bytes(), 0o644)?;
    sync::replace(&name, hostname.as_bytes(), 0o600)?;
    postkiln_log::info(Event::CertificateMade, &[("host", &hostname)]);
    Ok(())
}

/// The year of a moment, near enough for a validity of years; a clock that was never set gives this program's own year.
fn year(now: SystemTime) -> i32 {
    let seconds = clock::seconds(now);
    i32::try_from(1970 + seconds / 31_556_952).unwrap_or(i32::MAX - 10).max(2026)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_again_for_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| super::open(folder.path(), name).unwrap().certificate();
        let first = open("mail.example.org");
        assert_eq!(open("mail.example.org"), first);
        let second = open("mx.example.org");
        assert_ne!(second, first);
        // A crash before the certificate was written.
        fs::write(folder.path().join("tls.name"), "").unwrap();
        fs::remove_file(folder.path().join("tls.crt")).unwrap();
        assert_ne!(open("mx.example.org"), second);
        // A person's own pair stays.
        fs::remove_file(folder.path().join("tls.name")).unwrap();
        let theirs = open("mx.example.org");
        assert_eq!(open("other.example.org"), theirs);
    }

    #[test]
    fn the_year_follows_the_clock_unless_it_was_never_set() {
        let day = Duration::from_secs(86_400);
        for (days, expected) in [(0, 2026), (21_000, 2027), (29_300, 2050)] {
            assert_eq!(year(UNIX_EPOCH + day * days), expected, "{days}");
        }
    }
}
