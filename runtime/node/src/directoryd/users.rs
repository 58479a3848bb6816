//! The users of a bundle on their way into the database, and the moment from which they are served. Tables and users
//! switch together: an offered bundle whose users are refused is refused as a whole. Knows no question and no password;
//! the hashes of passwords that are secrets come from `passwords.rs`.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use postkiln_bundle::paths::SEED;
use postkiln_directory::{Directory, DirectoryError, Seed, Seeding};
use postkiln_ipc::keys;
use postkiln_log::Event;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Config, FrontDesk, passwords};
use crate::error::NodeError;
use crate::role::Desk;
use crate::turn::Turn;

/// The tools that bring users into the database.
pub(super) struct Users {
    pub(super) directory: Directory,
    pub(super) keyd: keys::Client,
    pub(super) desk: Desk,
    /// Somebody's password could not be had.
    pub(super) incomplete: Cell<bool>,
}

/// Users that are written and not served yet.
struct Prepared {
    config: Arc<Config>,
    /// Nothing where all of it was there already.
    seeding: Option<Seeding>,
    /// Whose password could not be had, for `status`; empty when everybody's could.
    missing: String,
}

impl Users {
    /// Brings the users in line with the bundle this process was started with.
    ///
    /// # Errors
    /// When there are none to serve.
    pub(super) async fn begin(&self, config: &Arc<Config>) -> Result<(), NodeError> {
        let taken = match self.take(config, false).await {
            Ok(Prepared { seeding: Some(seeding), missing, .. }) => {
                seeding.commit().await.map(|()| missing).map_err(NodeError::from)
            }
            Ok(Prepared { missing, .. }) => Ok(missing),
            Err(problem) => Err(problem),
        };
        let problem = match taken {
            Ok(missing) => {
                self.say(&missing);
                return Ok(());
            }
            Err(problem) => problem,
        };
        // A node that was started with an earlier bundle has users of a later generation: serving those is
        // better than nobody.
        if !self.directory.has_accounts().await {
            return Err(problem);
        }
        postkiln_log::error(Event::SeedNotApplied, &[("problem", &problem.told())]);
        self.desk.note(&format!("users are those of another bundle: {}", problem.told()));
        Ok(())
    }

    /// Takes the users of each bundle that is offered later, and asks again for passwords that could not be had. Ends
    /// when what was prepared cannot be served.
    pub(super) async fn follow(&self, mut turns: UnboundedReceiver<Turn<Config>>, front: &FrontDesk) -> NodeError {
        let mut prepared: Option<Prepared> = None;
        loop {
            let turn = tokio::select! {
                turn = turns.recv() => turn,
                () = tokio::time::sleep(AGAIN), if prepared.is_none() && self.incomplete.get() => {
                    self.ask_again(front).await;
                    continue;
                }
            };
            match turn {
                Some(Turn::Prepare(config, answer)) => {
                    forget(prepared.take()).await;
                    let taken = self.take(&config, true).await;
                    // Nobody waits for it any more: then it is forgotten by the order that follows.
                    let _ = answer.send(taken.map(|taken| prepared = Some(taken)));
                }
                Some(Turn::Commit(answer)) => {
                    let Some(prepared) = prepared.take() else { continue };
                    self.say(&prepared.missing);
                    if let Err(error) = switch(front, prepared).await {
                        return error.into();
                    }
                    let _ = answer.send(());
                }
                Some(Turn::Abort) => forget(prepared.take()).await,
                None => return NodeError::Orphaned,
            }
        }
    }

    /// Writes the users of a bundle and their passwords, so that nobody sees them yet. Passwords that cannot be had are
    /// a reason to stay with the bundle before, where there is one.
    async fn take(&self, config: &Arc<Config>, is_offer: bool) -> Result<Prepared, NodeError> {
        let found = match passwords::find(&self.keyd, &config.secrets).await {
            Err(problem) if is_offer => return Err(problem.into()),
            found => found.ok(),
        };
        let written = async {
            let mut seeding = match seed(config).await? {
                Some(seed) if !self.directory.has_seed(seed.digest()).await => {
                    Some(self.directory.begin(Some(seed)).await?)
                }
                _ => None,
            };
            if !config.secrets.0.is_empty() && (found.is_some() || seeding.is_some()) {
                let all = match seeding {
                    Some(seeding) => seeding,
                    None => self.directory.begin(None).await?,
                };
                seeding = Some(passwords::write(all, &config.secrets, found.as_deref()).await?);
            }
            Ok::<_, DirectoryError>(seeding)
        };
        let seeding = written.await?;
        let missing = passwords::missing(&config.secrets, found.as_deref());
        Ok(Prepared { config: config.clone(), seeding, missing })
    }

    /// Says in `status` whose password could not be had, if anybody's.
    fn say(&self, missing: &str) {
        self.incomplete.set(!missing.is_empty());
        self.desk.note(missing);
    }

    /// A `keyd` that did not answer may do so by now.
    async fn ask_again(&self, front: &FrontDesk) {
        let config = front.serving.read().await.clone();
        let Ok(found) = passwords::find(&self.keyd, &config.secrets).await else { return };
        let written = async {
            let seeding = self.directory.begin(None).await?;
            passwords::write(seeding, &config.secrets, Some(&found)).await?.commit().await
        };
        match written.await {
            Ok(()) => self.say(&passwords::missing(&config.secrets, Some(&found))),
            Err(error) => postkiln_log::warn(Event::PasswordsNotWritten, &[("problem", &postkiln_log::chain(&error))]),
        }
    }
}

async fn seed(config: &Config) -> Result<Option<Seed>, DirectoryError> {
    let Some(file) = config.bundle.open_file(SEED).map_err(DirectoryError::SeedText)? else { return Ok(None) };
    let seed = tokio::task::spawn_blocking(move || Seed::open(file)).await;
    seed.map_err(io::Error::other).and_then(|seed| seed).map(Some).map_err(DirectoryError::SeedText)
}

/// Makes the users count while look-ups still see those of before, then lets them see tables and users of the new
/// bundle in one step.
async fn switch(front: &FrontDesk, prepared: Prepared) -> Result<(), DirectoryError> {
    let Prepared { config, seeding, .. } = prepared;
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

async fn forget(prepared: Option<Prepared>) {
    if let Some(seeding) = prepared.and_then(|prepared| prepared.seeding) {
        seeding.abandon().await;
    }
}

/// How often passwords that could not be had are asked for again.
const AGAIN: Duration = Duration::from_secs(10);
