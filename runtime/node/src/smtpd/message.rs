//! [`Message`]: one message on its way from the client into the queue, and past the scanner at the same time. Nothing
//! is kept here. What cannot be decided is deferred.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postkiln_ipc::Door;
use postkiln_ipc::queue::{self, Submission};
use postkiln_log::Event;
use postkiln_mail::{QueueId, Received, Status, received_line};
use postkiln_smtp::Begin;

use super::config::Config;
use crate::scanner::{self, Scan, ScanError, Verdict};

/// The reply that the client hears instead of 250.
pub(super) type Refusal = (Status, String);

/// A message that has begun.
pub(super) struct Message {
    queue: Submission,
    /// The reason for which `queued` does not get the rest of the message.
    queue_broken: Option<Refusal>,
    scan: Scanning,
    peer: IpAddr,
    sender: String,
}

/// How far the scanner is with the message.
enum Scanning {
    /// The site has no scanner.
    Off,
    /// The scanner reads along.
    Running(Scan),
    /// The scanner has failed; the message is deferred when it is complete.
    Failed,
}

impl Message {
    /// Tells `queued` and the scanner that a message comes, and gives both our `Received` line.
    pub(super) async fn begin(
        config: &Config,
        queued: &Arc<Door>,
        data: &Path,
        peer: IpAddr,
        begin: &Begin,
    ) -> Result<Self, Refusal> {
        let scan = match &config.clamd_conf {
            None => Scanning::Off,
            Some(conf) => {
                let socket = scanner::socket_of(conf, data).ok_or_else(no_scanner)?;
                Scanning::Running(Scan::begin(&socket).await.map_err(|error| not_scanned(peer, &error))?)
            }
        };
        let queue = submit(queued, begin).await?;
        let sender = begin.envelope.sender.to_string();
        let mut message = Self { queue, queue_broken: None, scan, peer, sender };
        let received = received_line(&Received {
            host: None,
            helo: begin.helo.as_deref(),
            info: begin.account.as_deref(),
            ip: peer,
            by: &config.hostname,
            with: begin.protocol,
            id: None,
            at: jiff::Timestamp::now(),
        });
        message.content(received.into_bytes()).await;
        Ok(message)
    }

    /// Hands on a piece. A failure is remembered: the client is told when it has sent everything.
    pub(super) async fn content(&mut self, piece: Vec<u8>) {
        if let Scanning::Running(scan) = &mut self.scan
            && let Err(error) = scan.content(&piece).await
        {
            not_scanned(self.peer, &error);
            self.scan = Scanning::Failed;
        }
        if self.queue_broken.is_none() && !matches!(self.scan, Scanning::Failed) {
            let sent = tokio::time::timeout(QUEUE, self.queue.content(&piece)).await;
            if !matches!(sent, Ok(Ok(()))) {
                self.queue_broken = Some(no_queue());
            }
        }
    }

    /// The message is complete: the verdict first, then the queue's word that it is kept.
    pub(super) async fn finish(self) -> Result<QueueId, Refusal> {
        match self.scan {
            Scanning::Off => {}
            Scanning::Failed => return Err(no_scanner()),
            Scanning::Running(scan) => match scan.finish().await {
                Ok(Verdict::Clean) => {}
                Ok(Verdict::Infected(name)) => {
                    postkiln_log::info(
                        Event::Infected,
                        &[("virus", &name), ("from", &self.sender), ("peer", &self.peer)],
                    );
                    let line = format!("Your email was rejected because it contains the {name} virus");
                    return Err((Status(5, 7, 1), line));
                }
                Err(error) => return Err(not_scanned(self.peer, &error)),
            },
        }
        if let Some(refusal) = self.queue_broken {
            return Err(refusal);
        }
        match tokio::time::timeout(QUEUE, self.queue.commit()).await {
            Ok(Ok(id)) => {
                let fields: [(&str, &dyn std::fmt::Display); 3] =
                    [("queue", &id), ("from", &self.sender), ("peer", &self.peer)];
                postkiln_log::info(Event::Received, &fields);
                Ok(id)
            }
            Ok(Err(queue::Refusal::Refused(status, line))) => Err((status, line)),
            _ => Err(no_queue()),
        }
    }
}

async fn submit(queued: &Arc<Door>, begin: &Begin) -> Result<Submission, Refusal> {
    match tokio::time::timeout(QUEUE, Submission::begin(queued, &begin.envelope)).await {
        Ok(Ok(queue)) => Ok(queue),
        Ok(Err(queue::Refusal::Refused(status, line))) => Err((status, line)),
        _ => Err(no_queue()),
    }
}

/// Says in the log why, and to the client only that.
fn not_scanned(peer: IpAddr, error: &ScanError) -> Refusal {
    postkiln_log::warn(Event::NotScanned, &[("peer", &peer), ("problem", &postkiln_log::chain(error))]);
    no_scanner()
}

fn no_scanner() -> Refusal {
    (Status(4, 3, 0), "the virus scanner cannot say now, try again later (#4.3.0)".to_owned())
}

fn no_queue() -> Refusal {
    (Status(4, 3, 0), "qq trouble, the message is not in the queue (#4.3.0)".to_owned())
}

/// Below the ten minutes that clients wait for the reply to DATA (RFC 5321 §4.5.3.2.6).
const QUEUE: Duration = Duration::from_secs(120);
