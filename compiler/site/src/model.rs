//! [`Site`]: what the person wrote, names resolved, every value parsed, every value's place kept. Never re-validated later.

mod dns;
mod domain;
mod expectation;
mod list;
mod moved;
mod publishing;
mod services;
mod smtp;
mod tls;
mod user;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use postkiln_address::Domain;
use postkiln_findings::Code;

use crate::{Place, SecretsLock};

pub use dns::*;
pub use domain::*;
pub use expectation::*;
pub use list::*;
pub use moved::*;
pub use publishing::*;
pub use user::*;

pub use services::{Database, DatabaseHost, DatabaseServer, Language, Ldap, MailPlace, Retention, Storage, Web};
pub use smtp::{Clients, Decide, Dnsbl, Rates, Smarthost, Smtp, SmtpListener, SmtpNetwork};
pub use tls::{Certificate, Tls, TlsVersion};

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands; for a default, where the nearest enclosing thing stands that the person wrote.
    pub place: Place,
}

/// A whole site.
#[derive(Clone, Debug)]
pub struct Site {
    /// Of its data in the user database, which refuses a smaller one than it has seen.
    pub generation: u64,
    /// The machine.
    pub appliance: Appliance,
    /// The mail domains, alias domains among them, by name.
    pub domains: BTreeMap<Domain, Placed<DomainEntry>>,
    /// Published names.
    pub dns: Dns,
    /// Mail in and out.
    pub smtp: Smtp,
    /// Encryption of connections.
    pub tls: Tls,
    /// Scanning.
    pub antivirus: Antivirus,
    /// Pages in the browser.
    pub web: Web,
    /// The address book.
    pub ldap: Ldap,
    /// Where accounts and mail are kept.
    pub storage: Storage,
    /// How long things are kept.
    pub retention: Retention,
    /// qmail control files by name, typed by `schemas/control`; the last word.
    pub control: BTreeMap<String, Placed<ControlValue>>,
    /// What was renamed, in the order written.
    pub moved: Vec<Placed<Move>>,
    /// Unit tests for mail policy.
    pub expect: Vec<Placed<Expectation>>,
    /// Warnings that are not shown anywhere.
    pub silence: Vec<Placed<Code>>,
    /// What is known about its secrets without opening them.
    pub secrets: SecretsLock,
    /// The files the site consists of, by path below its root, as written but without password hashes (for `source/` in
    /// the bundle).
    pub sources: BTreeMap<String, Vec<u8>>,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Appliance {
    /// Its fully qualified name.
    pub hostname: Placed<Domain>,
    /// How it gets addresses.
    pub network: Placed<Network>,
    /// DNS servers it asks; empty: those DHCP names.
    pub resolvers: Vec<Placed<Resolver>>,
    /// How it gets IPv6 addresses, where that is written.
    pub ipv6: Option<Placed<Ipv6>>,
    /// NTP servers; empty: those DHCP names.
    pub time_servers: Vec<Placed<TimeServer>>,
    /// Octets of memory the machine has, where that is written.
    pub memory: Option<Placed<u64>>,
    /// Public keys of operators, OpenSSH form.
    pub operators: Vec<Placed<String>>,
}

/// How the machine gets IPv6 addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ipv6 {
    /// Not at all.
    None,
    /// By router advertisements.
    Auto,
    /// A fixed address.
    Static {
        /// The machine's own address.
        address: Ipv6Addr,
        /// Bits of the network part.
        prefix: u8,
        /// The way out.
        gateway: Option<Ipv6Addr>,
    },
}

/// An NTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeServer {
    /// Looked up.
    Name(Domain),
    /// No look-up.
    Address(IpAddr),
}

/// A DNS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Its address.
    pub address: std::net::IpAddr,
    /// Its port; 53 unless written `address:port`.
    pub port: u16,
}

/// How the machine gets addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// By DHCP.
    Dhcp,
    /// A fixed address.
    Static {
        /// The machine's own address.
        address: Ipv4Addr,
        /// Bits of the network part.
        prefix: u8,
        /// The way out.
        gateway: Option<Ipv4Addr>,
    },
}

/// Scanning.
#[derive(Clone, Debug)]
pub struct Antivirus {
    /// Which engine.
    pub engine: Placed<Engine>,
    /// What happens to an infected message.
    pub on_infected: Placed<OnInfected>,
    /// What happens when the engine cannot say.
    pub on_failure: Placed<OnFailure>,
    /// Signature files beside the site, by path, with their content.
    pub signatures: Vec<Placed<Signature>>,
    /// Messages scanned at the same time.
    pub threads: Placed<u32>,
    /// How new signatures are taken.
    pub reload: Placed<Reload>,
    /// How often new signatures are looked for.
    pub checks_per_day: Placed<u32>,
    /// Where signatures come from.
    pub mirror: Placed<Domain>,
}

/// How new signatures are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// Mail waits.
    InPlace,
    /// Scanning goes on, and the signatures are in memory twice meanwhile.
    Beside,
}

/// A signature file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// File name: `local.ndb`.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// The scanning engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// None: mail is not scanned.
    None,
    /// ClamAV's clamd.
    Clamav,
}

/// What happens to an infected message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInfected {
    /// 554 at the end of DATA.
    Reject,
}

/// What happens when the engine cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// 451 at the end of DATA.
    Defer,
}

/// A control file's value as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlValue {
    /// A number.
    Integer(u64),
    /// One line.
    Line(String),
    /// Several lines.
    Lines(Vec<String>),
}
