//! `smtpd`: receives mail on the ports 25, 587 and 465. It meets strangers, so it holds little: the bundle to read,
//! doors to `directoryd`, `queued`, `policyd` and `keyd`, clamd's socket. Knows no mailbox and no queue format. Start
//! at [`run`]; the answers a session needs are in `answers`, a message on its way in `message`.

mod answers;
mod config;
mod message;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use postkiln_admission::Client;
use postkiln_bundle::Role;
use postkiln_ipc::{Door, directory, policy};
use postkiln_smtp::{Peer, Session};
use postkiln_sys::Inherited;

use crate::error::NodeError;
use crate::role;
use crate::serving::{self, Front};
use answers::Answers;
use config::Config;

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Smtpd, inherited, Config::read, |mut seat| async move {
        let (directoryd, queued) = (seat.door(Role::Directoryd)?, seat.door(Role::Queued)?);
        let policyd = seat.door(Role::Policyd)?;
        let smtpd = Smtpd { directoryd, queued, policyd, data: seat.data() };
        serving::serve(seat, smtpd).await
    })
}

/// The parts that every connection needs.
struct Smtpd {
    directoryd: Arc<Door>,
    queued: Arc<Door>,
    policyd: Arc<Door>,
    data: PathBuf,
}

impl Front for Smtpd {
    type Config = Config;
    type Session = Session;
    type Answers = Answers;
    const PER_PEER: usize = 100;

    fn meet(&self, config: &Arc<Config>, visitor: serving::Client<'_>) -> Option<(Session, Answers)> {
        let client = Client::new(&visitor.decision)?;
        let session = config.session(visitor.listener, visitor.tls)?;
        let session = match client.databytes {
            Some(databytes) => with_databytes(&session, databytes),
            None => session,
        };
        let session = Session::new((session, Peer { ip: visitor.peer, client }), Instant::now());
        let directory = directory::Client::new(self.directoryd.clone());
        let policy = policy::Client::new(self.policyd.clone());
        let (queued, data) = (self.queued.clone(), self.data.clone());
        let answers = Answers::new(config.clone(), directory, policy, queued, data, visitor.peer);
        Some((session, answers))
    }
}

/// For a client whose messages may be larger or smaller than others'.
fn with_databytes(session: &postkiln_smtp::Config, databytes: Option<u64>) -> Arc<postkiln_smtp::Config> {
    let limits = postkiln_smtp::Limits { databytes, ..session.limits.clone() };
    Arc::new(postkiln_smtp::Config { limits, ..session.clone() })
}
