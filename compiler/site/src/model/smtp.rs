//! `smtp`: mail in and out.

use std::collections::BTreeMap;

use postkiln_address::Domain;
use postkiln_control::{AddressPattern, HostPattern, Relay};

use crate::Placed;

/// Mail in and out.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// The largest accepted message, in octets.
    pub size: Placed<u64>,
    /// Recipients of one message.
    pub recipients: Placed<u32>,
    /// Clients served at the same time.
    pub connections: Placed<u32>,
    /// What a client reads first.
    pub greeting: Option<Placed<String>>,
    /// The name we give ourselves elsewhere.
    pub helo: Option<Placed<Domain>>,
    /// How much one client, or one login, may do.
    pub rates: Rates,
    /// What clients of certain networks may do.
    pub networks: Vec<Placed<SmtpNetwork>>,
    /// Lists of bad clients, in the order they are asked.
    pub dnsbl: Vec<Placed<Dnsbl>>,
    /// Senders that are refused.
    pub bad_senders: Vec<Placed<AddressPattern>>,
    /// Recipients that are refused, whoever writes to them.
    pub bad_recipients: Vec<Placed<AddressPattern>>,
    /// Where mail for a domain goes; `None`: to its MX hosts, as an exception.
    pub routes: BTreeMap<HostPattern, Placed<Option<Relay>>>,
    /// Who takes all mail for others.
    pub smarthost: Option<Placed<Smarthost>>,
    /// Seconds until mail that cannot be handed on goes back.
    pub lifetime: Placed<u64>,
}

/// How much one client, or one login, may do; `None` without a limit.
#[derive(Clone, Debug)]
pub struct Rates {
    /// New connections of one client.
    pub connections_per_minute: Option<Placed<u32>>,
    /// Messages of one login.
    pub messages_per_hour: Option<Placed<u32>>,
    /// Recipients of one login's messages.
    pub recipients_per_hour: Option<Placed<u32>>,
}

/// What clients of a network may do.
#[derive(Clone, Debug)]
pub struct SmtpNetwork {
    /// Who they are.
    pub from: Placed<Clients>,
    /// Where this holds.
    pub listener: SmtpListener,
    /// What happens to them.
    pub decide: Placed<Decide>,
    /// Whether they relay without a login; `None` when it is not written.
    pub relay: Option<Placed<bool>>,
    /// The largest message, in octets.
    pub size: Option<Placed<u64>>,
    /// Whether the lists are asked about them.
    pub dnsbl: Placed<bool>,
}

/// Who a rule of tcprules is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// As it was written.
    pub written: String,
    /// The keys that tcprules knows for it: at least one.
    pub keys: Vec<String>,
}

/// Which listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpListener {
    /// Port 25.
    Smtp,
    /// Ports 587 and 465.
    Submission,
    /// All of them.
    All,
}

/// What happens to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decide {
    /// It is served.
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
    /// Its name.
    pub zone: Domain,
    /// Whether mail waits while the list does not answer.
    pub defer_on_failure: bool,
}

/// A server that takes all mail for others.
#[derive(Clone, Debug)]
pub struct Smarthost {
    /// Where it listens.
    pub relay: Relay,
    /// The login it asks for.
    pub user: Option<Placed<String>>,
    /// The name of the secret that is its password.
    pub password: Option<Placed<String>>,
}
