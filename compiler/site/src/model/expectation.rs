//! Types of the section `expect`.

use std::net::IpAddr;

use postkiln_address::Address;

/// One unit test of mail policy.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The sender's address.
    pub from: Address,
    /// The recipient's address.
    pub to: Address,
    /// Whether the sender is logged in; `None`: yes exactly when `from` is the address of a user of ours.
    pub authenticated: Option<bool>,
    /// The address of the connecting machine; `None`: a machine that no network of the site names.
    pub client: Option<IpAddr>,
    /// The result that the test demands.
    pub result: Expected,
}

/// The result that a test demands for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The message ends in this mailbox or at this outside address, perhaps at others too.
    DeliveredTo(Address),
    /// The message ends in all of these and nowhere else.
    DeliveredToAll(Vec<Address>),
    /// The message leaves for this outside address, perhaps for more.
    ForwardedTo(Address),
    /// The message is posted to this list.
    List(Address),
    /// This autoresponder answers it.
    Replied(Address),
    /// The message is accepted and dropped.
    Discarded,
    /// The message is refused at RCPT, or when its client connects.
    Refused,
    /// The message is refused for now.
    Deferred,
}
