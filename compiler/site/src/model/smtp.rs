//! Types of the section `smtp`.

use std::collections::BTreeMap;

use postkiln_address::Domain;
use postkiln_control::{AddressPattern, Delays, HostPattern, KeyDigest, Relay};

use crate::Placed;

/// Receiving and sending mail.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// The largest accepted message, in octets.
    pub size: Placed<u64>,
    /// The largest number of recipients of one message.
    pub recipients: Placed<u32>,
    /// The largest number of clients served at the same time.
    pub connections: Placed<u32>,
    /// The text of the greeting line.
    pub greeting: Option<Placed<String>>,
    /// The name in HELO and EHLO to other servers.
    pub helo: Option<Placed<Domain>>,
    /// How much one client, or one login, may do.
    pub rates: Rates,
    /// Rules for clients of certain networks.
    pub networks: Vec<Placed<SmtpNetwork>>,
    /// Lists of bad clients, in the order they are asked.
    pub dnsbl: Vec<Placed<Dnsbl>>,
    /// How long strangers wait; `None`: they do not.
    pub greylisting: Option<Placed<Delays>>,
    /// Senders that are refused.
    pub bad_senders: Vec<Placed<AddressPattern>>,
    /// Recipients that are refused, whoever writes to them.
    pub bad_recipients: Vec<Placed<AddressPattern>>,
    /// The server for each domain's mail; `None`: its MX hosts, as an exception from a wider route.
    pub routes: BTreeMap<HostPattern, Placed<Option<Relay>>>,
    /// The server that takes all mail for others.
    pub smarthost: Option<Placed<Smarthost>>,
    /// Seconds until mail that cannot be handed on goes back.
    pub lifetime: Placed<u64>,
}

/// How much one client, or one login, may do; `None` without a limit.
#[derive(Clone, Debug)]
pub struct Rates {
    /// New connections of one client in a minute.
    pub connections_per_minute: Option<Placed<u32>>,
    /// Messages of one login in an hour.
    pub messages_per_hour: Option<Placed<u32>>,
    /// Recipients of one login's messages in an hour.
    pub recipients_per_hour: Option<Placed<u32>>,
}

/// A rule for the clients of a network.
#[derive(Clone, Debug)]
pub struct SmtpNetwork {
    /// The clients of the rule.
    pub from: Placed<Clients>,
    /// The listeners on which the rule holds.
    pub listener: SmtpListener,
    /// The decision about these clients.
    pub decide: Placed<Decide>,
    /// Whether these clients may relay without a login; `None` when this is not written.
    pub relay: Option<Placed<bool>>,
    /// The largest message, in octets.
    pub size: Option<Placed<u64>>,
    /// Whether the lists of bad clients are asked about them.
    pub dnsbl: Placed<bool>,
}

/// A set of clients, as a rule of tcprules names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// The text as it was written.
    pub written: String,
    /// The keys for it in tcprules' form: at least one.
    pub keys: Vec<String>,
}

/// The listeners on which a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpListener {
    /// The listener on port 25.
    Smtp,
    /// The listeners on ports 587 and 465.
    Submission,
    /// All three listeners.
    All,
}

/// The decision about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decide {
    /// The client is served.
    Allow,
    /// The connection is closed without a word.
    Deny,
    /// Every recipient is refused with this text.
    Refuse(String),
    /// Every recipient is deferred with this text.
    Defer(String),
}

/// A list of bad clients in the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dnsbl {
    /// The zone in which addresses are looked up.
    pub zone: Domain,
    /// Whether mail waits while the list does not answer.
    pub defer_on_failure: bool,
}

/// A server that takes all mail for others.
#[derive(Clone, Debug)]
pub struct Smarthost {
    /// The server's host and port.
    pub relay: Relay,
    /// The user name for the login, when the server asks for one.
    pub user: Option<Placed<String>>,
    /// The name of the secret that is the password.
    pub password: Option<Placed<String>>,
    /// The key that the server must have to be told the password.
    pub key: Option<Placed<KeyDigest>>,
}
