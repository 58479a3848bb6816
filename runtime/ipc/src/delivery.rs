//! From `queued` to `local` and `remote`: one message, one destination, one attempt; the answer is an
//! [`postkiln_mail::Outcome`]. The message comes as a read-only descriptor with the request.

use postkiln_address::{Address, ReversePath};
use postkiln_mail::QueueId;
use serde::{Deserialize, Serialize};

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Which message, for the log.
    pub id: QueueId,
    /// Where notices go.
    pub sender: ReversePath,
    /// The one recipient.
    pub recipient: Address,
    /// Where the content begins in the descriptor's file, in octets.
    pub offset: u64,
    /// How long the content is, in octets; LF line ends.
    pub size: u64,
}
