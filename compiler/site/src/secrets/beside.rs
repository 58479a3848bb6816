//! Finding the two files beside a site. The encrypted one is only measured, never opened.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{SECRETS_AGE, SECRETS_LOCK, SecretsLock};
use crate::beneath::BeneathError;
use crate::files::Files;
use crate::{Diagnostic, Place, codes};

/// The lock beside a site, empty when there is none; its text is added to `sources`. Gives warnings beside it.
///
/// # Errors
/// With all findings when the lock is wrong.
pub(crate) fn beside(
    root: &Files,
    sources: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(SecretsLock, Vec<Diagnostic>), Vec<Diagnostic>> {
    let bytes = match root.read(SECRETS_LOCK) {
        Ok(bytes) => bytes,
        Err(BeneathError::Absent) => return Ok((SecretsLock::default(), Vec::new())),
        Err(error) => {
            return Err(vec![Diagnostic::new(codes::LOCK, format!("{SECRETS_LOCK} {error}")).at(&start())]);
        }
    };
    sources.insert(SECRETS_LOCK.to_owned(), bytes.clone());
    let (lock, mut findings) = SecretsLock::parse(&bytes)?;
    findings.extend(mismatch(root, &lock));
    Ok((lock, findings))
}

/// A warning when `secrets.age` is not the file the lock was written with. A missing file is fine: compiling does not
/// need it.
fn mismatch(root: &Files, lock: &SecretsLock) -> Option<Diagnostic> {
    let bytes = root.read(SECRETS_AGE).ok()?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if lock.sealed.as_ref().is_some_and(|sealed| sealed.value == found) {
        return None;
    }
    let message = format!("{SECRETS_AGE} is not the file that {SECRETS_LOCK} was written with");
    let at = lock.sealed.as_ref().map_or_else(start, |sealed| sealed.place.clone());
    let mut finding = Diagnostic::new(codes::UNSEALED, message).at(&at);
    finding.hint("commit both together; `postkiln secret check` tells how they differ");
    Some(finding)
}

/// The place of the lock's first character.
pub(crate) fn start() -> Place {
    Place { file: SECRETS_LOCK.into(), line: 1, column: 1, end_line: 1, end_column: 1 }
}
