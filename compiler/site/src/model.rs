//! [`Site`]: a site as the person wrote it, with names resolved, every value parsed and every value's place kept. Never
//! validated again.

mod dns;
mod domain;
mod expectation;
mod gaps;
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
pub use gaps::{Gap, Gaps, Section};
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
    /// The parsed value.
    pub value: T,
    /// The value's place; a default has the place of the nearest enclosing thing that the person wrote.
    pub place: Place,
}

/// A whole site, as decoded from its files.
#[derive(Clone, Debug)]
pub struct Site {
    /// The number of this generation of data. The user database refuses a smaller one than it has seen.
    pub generation: u64,
    /// The machine: host name, network, operators.
    pub appliance: Appliance,
    /// The mail domains, alias domains among them, by name.
    pub domains: BTreeMap<Domain, Placed<DomainEntry>>,
    /// Published addresses, zones and records.
    pub dns: Dns,
    /// Receiving and sending mail: sizes, rates, networks, routes.
    pub smtp: Smtp,
    /// Certificates, and the oldest version of TLS.
    pub tls: Tls,
    /// The virus scanner and its signatures.
    pub antivirus: Antivirus,
    /// Webmail and administration in the browser.
    pub web: Web,
    /// The address book.
    pub ldap: Ldap,
    /// The place of accounts and the place of mail.
    pub storage: Storage,
    /// How long mail, logs and earlier bundles are kept.
    pub retention: Retention,
    /// qmail control files by name, typed by `schemas/control`. They override the files that other fields make.
    pub control: BTreeMap<String, Placed<ControlValue>>,
    /// Renames, in the order written.
    pub moved: Vec<Placed<Move>>,
    /// Unit tests for mail policy.
    pub expect: Vec<Placed<Expectation>>,
    /// Warnings that are not shown anywhere.
    pub silence: Vec<Placed<Code>>,
    /// The public part of the site's secrets; nothing is decrypted.
    pub secrets: SecretsLock,
    /// The files the site consists of, by path below its root, as written but without password hashes (for `source/` in
    /// the bundle).
    pub sources: BTreeMap<String, Vec<u8>>,
    /// The parts that could not be read: none in a site without errors.
    pub gaps: Gaps,
}

/// The machine: host name, network, operators.
#[derive(Clone, Debug)]
pub struct Appliance {
    /// The machine's fully qualified name.
    pub hostname: Placed<Domain>,
    /// How the machine gets its IPv4 address.
    pub network: Placed<Network>,
    /// DNS servers that the machine asks; empty: those that DHCP names.
    pub resolvers: Vec<Placed<Resolver>>,
    /// How the machine gets IPv6 addresses, where that is written.
    pub ipv6: Option<Placed<Ipv6>>,
    /// NTP servers that the machine asks; empty: those that DHCP names.
    pub time_servers: Vec<Placed<TimeServer>>,
    /// Octets of memory the machine has, where that is written.
    pub memory: Option<Placed<u64>>,
    /// Public keys of operators, OpenSSH form.
    pub operators: Vec<Placed<String>>,
}

/// How the machine gets IPv6 addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ipv6 {
    /// The machine has no IPv6 addresses.
    None,
    /// The machine takes addresses from router advertisements.
    Auto,
    /// The machine has one fixed address.
    Static {
        /// The machine's own address.
        address: Ipv6Addr,
        /// Length of the network part in bits, 0 to 128.
        prefix: u8,
        /// The default router, when one is written.
        gateway: Option<Ipv6Addr>,
    },
}

/// An NTP server, by name or by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeServer {
    /// A name, looked up in the DNS.
    Name(Domain),
    /// An address, used without a look-up.
    Address(IpAddr),
}

/// A DNS server: address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// The server's address.
    pub address: std::net::IpAddr,
    /// The server's port; 53 unless written `address:port`.
    pub port: u16,
}

/// How the machine gets its IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// The machine asks DHCP.
    Dhcp,
    /// The machine has one fixed address.
    Static {
        /// The machine's own address.
        address: Ipv4Addr,
        /// Length of the network part in bits, 0 to 32.
        prefix: u8,
        /// The default router, when there is one.
        gateway: Option<Ipv4Addr>,
    },
}

/// The virus scanner: engine, decisions, signatures.
#[derive(Clone, Debug)]
pub struct Antivirus {
    /// The scanner's program, or none.
    pub engine: Placed<Engine>,
    /// The fate of an infected message.
    pub on_infected: Placed<OnInfected>,
    /// The fate of a message when the engine cannot say.
    pub on_failure: Placed<OnFailure>,
    /// Signature files beside the site, by path, with their content.
    pub signatures: Vec<Placed<Signature>>,
    /// Messages scanned at the same time.
    pub threads: Placed<u32>,
    /// How the running scanner takes new signatures.
    pub reload: Placed<Reload>,
    /// How often new signatures are looked for.
    pub checks_per_day: Placed<u32>,
    /// The host that new signatures are fetched from.
    pub mirror: Placed<Domain>,
}

/// How the running scanner takes new signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The scanner loads them in place; mail waits meanwhile.
    InPlace,
    /// The scanner loads them beside the old ones: scanning goes on, and memory holds the signatures twice meanwhile.
    Beside,
}

/// A signature file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name of the file, without folder: `local.ndb`.
    pub name: String,
    /// The content of the file.
    pub bytes: Vec<u8>,
}

/// The program that scans mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// No program: mail is not scanned.
    None,
    /// The daemon clamd of ClamAV.
    Clamav,
}

/// The fate of an infected message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInfected {
    /// The message is refused with 554 at the end of DATA.
    Reject,
}

/// The fate of a message when the engine cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The message is deferred with 451 at the end of DATA.
    Defer,
}

/// A control file's value as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlValue {
    /// A number, for a file that holds one.
    Integer(u64),
    /// One line, for a file of one line.
    Line(String),
    /// Several lines, for a file of many.
    Lines(Vec<String>),
}
