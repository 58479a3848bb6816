//! Passwords that are secrets: their hashes, from `keyd` into the rows of their owners. The bundle names secret and version;
//! a password itself never comes here.

use std::time::Duration;

use postkiln_directory::{DirectoryError, Seeding};
use postkiln_handover::{Hidden, PasswordSecrets};
use postkiln_ipc::keys::{HASHES, Reply, Request};
use postkiln_ipc::{Channel, ChannelError, Door};

/// A hash for each person of the list, in its order; `None` where the secret was not delivered.
///
/// # Errors
/// When `keyd` does not answer in time.
pub(super) async fn find(keyd: &Door, secrets: &PasswordSecrets) -> Result<Vec<Option<Hidden>>, String> {
    let mut found = Vec::with_capacity(secrets.0.len());
    for some in secrets.0.chunks(HASHES) {
        let wanted = some.iter().map(|one| (one.secret.clone(), one.version.clone())).collect();
        let asked = tokio::time::timeout(PATIENCE, ask(keyd, wanted)).await;
        let hashes = asked.map_err(|_| "keyd does not answer".to_owned())?;
        found.extend(hashes.map_err(|error| format!("keyd: {}", postkiln_log::chain(&error)))?);
    }
    if found.len() == secrets.0.len() { Ok(found) } else { Err("keyd answered another question".to_owned()) }
}

async fn ask(keyd: &Door, wanted: Vec<(String, String)>) -> Result<Vec<Option<Hidden>>, ChannelError> {
    let mut channel: Channel<Request, Reply> = keyd.open()?;
    match channel.ask(&Request::Hashes(wanted)).await? {
        Reply::Hashes(hashes) => Ok(hashes),
        _ => Err(ChannelError::Malformed),
    }
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

/// How long `keyd` may take for one answer: it may have to make every hash in it.
const PATIENCE: Duration = Duration::from_secs(15);
