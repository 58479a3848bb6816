//! Passwords that are secrets: their hashes, from `keyd` into the rows of their owners. The bundle names secret and
//! version; a password itself never comes here.

use postkiln_directory::{DirectoryError, Seeding};
use postkiln_handover::{Hidden, PasswordSecrets};
use postkiln_ipc::keys;

/// A hash for each person of the list, in its order; `None` where the secret was not delivered.
///
/// # Errors
/// When `keyd` does not answer in time.
pub(super) async fn find(
    keyd: &keys::Client,
    secrets: &PasswordSecrets,
) -> Result<Vec<Option<Hidden>>, keys::Unavailable> {
    let wanted: Vec<_> = secrets.0.iter().map(|one| (one.secret.clone(), one.version.clone())).collect();
    keyd.hashes(&wanted).await
}

/// Writes the hashes: a person without one cannot log in. Without any hashes nobody can.
pub(super) async fn write(
    mut seeding: Seeding,
    secrets: &PasswordSecrets,
    hashes: Option<&[Option<Hidden>]>,
) -> Result<Seeding, DirectoryError> {
    for (at, one) in secrets.0.iter().enumerate() {
        let hash = hash(hashes, at);
        seeding.set_password(one.address.domain().as_str(), one.address.local().as_str(), hash).await?;
    }
    Ok(seeding)
}

/// Whose password could not be had, as a line for `status`; empty when everybody's could.
pub(super) fn missing(secrets: &PasswordSecrets, hashes: Option<&[Option<Hidden>]>) -> String {
    let mut without =
        secrets.0.iter().enumerate().filter(|(at, _)| hash(hashes, *at).is_none()).map(|(_, one)| &one.address);
    match (without.next(), without.count()) {
        (None, _) => String::new(),
        (Some(one), 0) => format!("the password of {one} was not delivered"),
        (Some(one), others) => format!("the passwords of {one} and {others} more were not delivered"),
    }
}

fn hash(hashes: Option<&[Option<Hidden>]>, at: usize) -> Option<&str> {
    hashes?.get(at)?.as_ref().map(Hidden::expose)
}
