//! From `queued` to `local` and `remote`: one message, one destination, one attempt; the answer is an
//! [`postkiln_mail::Outcome`]. The message comes as a read-only descriptor with the request.

use postkiln_address::{Address, ReversePath};
use postkiln_mail::QueueId;
use serde::{Deserialize, Serialize};

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The message's name, for the log.
    pub id: QueueId,
    /// The sender, who gets notices.
    pub sender: ReversePath,
    /// The one recipient of this attempt.
    pub recipient: Address,
    /// The offset of the content in the descriptor's file, in octets.
    pub offset: u64,
    /// The length of the content in octets; line ends are LF.
    pub size: u64,
}
