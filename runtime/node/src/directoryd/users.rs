//! The users of a bundle on their way into the database, and the moment from which they are served. Tables and users
//! switch together: an offered bundle whose users are refused is refused as a whole. Knows no question and no password.

use std::io;
use std::sync::Arc;

use postkiln_directory::{Directory, DirectoryError, Seed, Seeding};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Config, FrontDesk};
use crate::role::Desk;
use crate::turn::Turn;

/// Brings the users in line with the bundle this process was started with.
///
/// # Errors
/// When there are none to serve.
pub(super) async fn begin(directory: &Directory, config: &Config, desk: &Desk) -> Result<(), String> {
    let taken = match take(directory, config).await {
        Ok(Some(seeding)) => seeding.commit().await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    let Err(error) = taken else { return Ok(()) };
    // A node that was started with an earlier bundle has users of a later generation: serving those is better than nobody.
    let problem = postkiln_log::chain(&error);
    if !directory.has_accounts().await {
        return Err(problem);
    }
    postkiln_log::error("seed-not-applied", &[("problem", &problem)]);
    desk.note(&format!("users are those of another bundle: {problem}"));
    Ok(())
}

/// Takes the users of each bundle that is offered later. Ends when what was prepared cannot be served.
pub(super) async fn follow(mut turns: UnboundedReceiver<Turn<Config>>, front: &FrontDesk, desk: &Desk) -> String {
    let mut prepared = None;
    while let Some(turn) = turns.recv().await {
        match turn {
            Turn::Prepare(config, answer) => {
                forget(&mut prepared).await;
                let taken = take(&front.directory, &config).await;
                let said = taken.map(|seeding| prepared = Some((config, seeding)));
                // Nobody waits for it any more: then it is forgotten by the order that follows.
                let _ = answer.send(said.map_err(|error| postkiln_log::chain(&error)));
            }
            Turn::Commit(answer) => {
                let Some((config, seeding)) = prepared.take() else { continue };
                if let Err(error) = switch(front, config, seeding).await {
                    return postkiln_log::chain(&error);
                }
                desk.note("");
                let _ = answer.send(());
            }
            Turn::Abort => forget(&mut prepared).await,
        }
    }
    "init is gone".to_owned()
}

/// Writes the users of a bundle, so that nobody sees them yet; nothing when they are there already.
async fn take(directory: &Directory, config: &Config) -> Result<Option<Seeding>, DirectoryError> {
    let Some(file) = config.bundle.open_file(SEED).map_err(DirectoryError::SeedText)? else { return Ok(None) };
    let seed = tokio::task::spawn_blocking(move || Seed::open(file)).await;
    let seed = seed.map_err(io::Error::other).and_then(|seed| seed).map_err(DirectoryError::SeedText)?;
    if directory.has_seed(seed.digest()).await {
        return Ok(None);
    }
    directory.begin(seed).await.map(Some)
}

/// Makes the users count while look-ups still see those of before, then lets them see tables and users of the new bundle in
/// one step.
async fn switch(front: &FrontDesk, config: Arc<Config>, seeding: Option<Seeding>) -> Result<(), DirectoryError> {
    let Some(seeding) = seeding else {
        *front.serving.write().await = config;
        return Ok(());
    };
    front.directory.freeze().await?;
    let committed = seeding.commit().await;
    let mut serving = front.serving.write().await;
    front.directory.thaw().await?;
    committed?;
    *serving = config;
    Ok(())
}

async fn forget(prepared: &mut Option<(Arc<Config>, Option<Seeding>)>) {
    if let Some((_, Some(seeding))) = prepared.take() {
        seeding.abandon().await;
    }
}

const SEED: &str = "seeds/sqlite.sql";
