//! The certificate of a role that offers TLS: asked of `keyd` at the start, and again each time that there
//! is another one.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use postkiln_ipc::Door;
use postkiln_ipc::keys::{self, Fingerprint};
use postkiln_log::Event;
use postkiln_net::ServerTls;
use tokio::sync::watch;

use crate::error::NodeError;
use crate::role::Desk;

/// The means to begin TLS, as soon as `keyd` has given them.
#[derive(Clone)]
pub(crate) struct Certificate {
    tls: Rc<RefCell<Option<ServerTls>>>,
    /// Whether `keyd` was asked once, whatever came of it.
    asked: watch::Receiver<bool>,
}

impl Certificate {
    /// Begins to ask for the certificate and goes on until there is one; a role that has none says so.
    pub(crate) fn fetch(door: Arc<Door>, desk: Desk) -> Self {
        let (is_asked, asked) = watch::channel(false);
        let certificate = Self { tls: Rc::default(), asked };
        let later = certificate.clone();
        tokio::task::spawn_local(later.keep(keys::Client::new(door), desk, is_asked));
        certificate
    }

    async fn keep(self, keyd: keys::Client, desk: Desk, is_asked: watch::Sender<bool>) {
        let mut known = None;
        let mut is_noted = false;
        loop {
            let result = self.take(&keyd, &mut known).await;
            is_asked.send_replace(true);
            match result {
                Ok(()) if is_noted => {
                    desk.note("");
                    is_noted = false;
                }
                Ok(()) => {}
                Err(problem) => {
                    postkiln_log::warn(Event::NoCertificate, &[("problem", &problem.told())]);
                    if self.tls.borrow().is_none() {
                        desk.note("keyd has no certificate: there is no TLS");
                        is_noted = true;
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Takes the first certificate, or waits for one that is not known.
    async fn take(&self, keyd: &keys::Client, known: &mut Option<Fingerprint>) -> Result<(), NodeError> {
        let certificate = match *known {
            None => keyd.certificate().await?,
            Some(known) => keyd.next_certificate(known).await?,
        };
        *known = Some(certificate.fingerprint);
        *self.tls.borrow_mut() = Some(ServerTls::new(keyd.clone(), certificate)?);
        Ok(())
    }

    /// Waits until `keyd` has answered for the first time, or has not in time.
    pub(crate) async fn asked(&self) {
        // The sender goes only with the whole role.
        let _ = self.asked.clone().wait_for(|asked| *asked).await;
    }

    /// The TLS that a connection begins with. A port that is nothing without TLS waits for the first answer, any other
    /// port a moment.
    pub(crate) async fn get(&self, is_needed: bool) -> Option<ServerTls> {
        let _ = tokio::time::timeout(if is_needed { LONG } else { MOMENT }, self.asked()).await;
        self.tls.borrow().clone()
    }
}

/// Between two questions to a `keyd` that has no answer.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a connection waits for the first answer.
const LONG: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_secs(1);
