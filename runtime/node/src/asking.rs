//! Questions of roles to their neighbours while a client waits: to `directoryd` who somebody is and where mail goes, to
//! `keyd` for the certificate. A neighbour that is being started again costs time, not an error.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use postkiln_ipc::directory::{Reply, Request};
use postkiln_ipc::{Channel, ChannelError, Door};
use postkiln_net::ServerTls;
use tokio::sync::watch;

use crate::role::{Desk, Seat};

/// A conversation with `directoryd`, begun when it is needed and begun anew when it broke.
pub(crate) struct Directory {
    door: Arc<Door>,
    channel: Option<Channel<Request, Reply>>,
}

impl Directory {
    /// Asks nothing yet.
    pub(crate) const fn new(door: Arc<Door>) -> Self {
        Self { door, channel: None }
    }

    /// Asks one question; [`Reply::Unavailable`] when no answer can be had in time.
    pub(crate) async fn ask(&mut self, question: &Request) -> Reply {
        let asked = tokio::time::timeout(PATIENCE, async {
            // The second time: the first conversation may have been with a process that is gone.
            match self.try_ask(question).await {
                Err(_) => self.try_ask(question).await,
                answered => answered,
            }
        });
        match asked.await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => {
                self.channel = None;
                Reply::Unavailable(format!("directoryd: {}", postkiln_log::chain(&error)))
            }
            Err(_) => {
                // An answer that comes late must not be taken for the next question's.
                self.channel = None;
                Reply::Unavailable("directoryd does not answer".to_owned())
            }
        }
    }

    async fn try_ask(&mut self, question: &Request) -> Result<Reply, ChannelError> {
        let mut channel = match self.channel.take() {
            Some(channel) => channel,
            None => self.door.open()?,
        };
        let reply = channel.ask(question).await?;
        self.channel = Some(channel);
        Ok(reply)
    }
}

/// The means to begin TLS, as soon as `keyd` has given them.
#[derive(Clone)]
pub(crate) struct Certificate {
    tls: Rc<RefCell<Option<ServerTls>>>,
    /// Whether `keyd` was asked once, whatever came of it.
    asked: watch::Receiver<bool>,
}

impl Certificate {
    /// Begins to ask for the certificate and goes on until there is one; a role that has none says so. A new bundle may
    /// bring another host name, hence another certificate: then it is asked for again.
    pub(crate) fn fetch<C: 'static>(door: Arc<Door>, seat: &Seat<C>) -> Self {
        let (is_asked, asked) = watch::channel(false);
        let certificate = Self { tls: Rc::default(), asked };
        let (later, desk, config) = (certificate.clone(), seat.desk.clone(), seat.config.clone());
        tokio::task::spawn_local(async move {
            let first = later.try_fetch(&door).await;
            is_asked.send_replace(true);
            later.keep(door, desk, config, first).await;
        });
        certificate
    }

    async fn keep<C>(
        self,
        door: Arc<Door>,
        desk: Desk,
        mut config: watch::Receiver<Arc<C>>,
        mut fetched: Result<(), String>,
    ) {
        loop {
            match &fetched {
                Ok(()) => {
                    if config.changed().await.is_err() {
                        return;
                    }
                    // keyd hears of the new bundle in the same moment as we do.
                    tokio::time::sleep(SOON).await;
                }
                Err(problem) => {
                    postkiln_log::warn("no-certificate", &[("problem", problem)]);
                    if self.tls.borrow().is_none() {
                        desk.note("keyd has no certificate: there is no TLS");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
            let failed_before = fetched.is_err();
            fetched = self.try_fetch(&door).await;
            if failed_before && fetched.is_ok() {
                desk.note("");
            }
        }
    }

    /// Waits until `keyd` has answered for the first time, or has not in time.
    pub(crate) async fn asked(&self) {
        // The sender goes only with the whole role.
        let _ = self.asked.clone().wait_for(|asked| *asked).await;
    }

    /// The TLS that a connection begins with. A port that is nothing without TLS waits for the first answer, any other
    /// port a moment.
    pub(crate) async fn get(&self, is_needed: bool) -> Option<ServerTls> {
        let _ = tokio::time::timeout(if is_needed { KEYD } else { SOON }, self.asked()).await;
        self.tls.borrow().clone()
    }

    async fn try_fetch(&self, door: &Arc<Door>) -> Result<(), String> {
        let fetched = tokio::time::timeout(KEYD, ServerTls::from_keyd(door.clone())).await;
        let tls = fetched.map_err(|_| "keyd does not answer".to_owned())?.map_err(|e| postkiln_log::chain(&e))?;
        *self.tls.borrow_mut() = Some(tls);
        Ok(())
    }
}

/// Longer than a role needs to come back, shorter than a client's patience with AUTH and RCPT (RFC 5321 §4.5.3.2).
const PATIENCE: Duration = Duration::from_secs(60);
/// For `keyd`'s first answer: on first boot it makes a key.
const KEYD: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(1);
