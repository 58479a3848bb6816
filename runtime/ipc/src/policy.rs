//! To `policyd`: whether what is remembered of a stranger speaks against a recipient.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use postkiln_address::{Address, ReversePath};
use postkiln_mail::Status;
use serde::{Deserialize, Serialize};

use crate::again::Line;
use crate::{ChannelError, Door};

/// A recipient that a stranger wants to reach: one of ours, and it takes mail. Each gets one reply; a conversation
/// may hold many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The client's IP address.
    pub client: IpAddr,
    /// The reverse path of the message.
    pub sender: ReversePath,
    /// The recipient that it is to reach.
    pub recipient: Address,
}

/// The reply to an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing speaks against it.
    Pass,
    /// The recipient is refused: class 4 for now, class 5 for good; one line for the client.
    Refuse(Status, String),
    /// The memory cannot be asked now; one line for the log.
    Unavailable(String),
}

/// Asks `policyd`, in one conversation as long as that lasts.
#[derive(Debug)]
pub struct Client(Line<Attempt, Verdict>);

impl Client {
    /// Asks nothing yet.
    #[must_use]
    pub const fn new(door: Arc<Door>) -> Self {
        Self(Line::new(door))
    }

    /// The verdict on an attempt; [`Verdict::Unavailable`] when there is none in time.
    pub async fn judge(&mut self, attempt: &Attempt) -> Verdict {
        let judged = self.0.ask_within(PATIENCE, attempt).await;
        judged.unwrap_or_else(|error: ChannelError| Verdict::Unavailable(format!("policyd does not answer: {error}")))
    }
}

/// Longer than a role needs to come back, shorter than a client's patience with RCPT (RFC 5321 §4.5.3.2.3).
const PATIENCE: Duration = Duration::from_secs(60);
