//! What a site expects of mail.

use std::net::IpAddr;

use postkiln_address::Address;

/// One unit test of mail policy.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Who writes.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// Whether the sender is logged in; `None`: when `from` is the address of a user of ours.
    pub authenticated: Option<bool>,
    /// The machine that brings it; `None`: one that no network of the site names.
    pub client: Option<IpAddr>,
    /// What must come of it.
    pub result: Expected,
}

/// What must come of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It ends in this mailbox or at this outside address, perhaps at others too.
    DeliveredTo(Address),
    /// It ends in all of these and nowhere else.
    DeliveredToAll(Vec<Address>),
    /// It leaves for this address of others, perhaps for more.
    ForwardedTo(Address),
    /// It is posted to this list.
    List(Address),
    /// This autoresponder answers it.
    Replied(Address),
    /// It is accepted and dropped.
    Discarded,
    /// It is refused at RCPT, or when its client connects.
    Refused,
    /// It is refused for now.
    Deferred,
}
