//! The files that compiler and services share: qmail's control files (one module each), `users/assign`, tcprules,
//! `.qmail` instructions, fastforward's tables, and the cdb format under some of them. Each is parsed and printed here
//! and nowhere else.
//!
//! Knows nothing about where files lie: a [`ControlFile`] reads itself from a look-up by name. Start at
//! [`ControlFile`], then [`REGISTRY`], then the module of the file in question.

pub mod cdb;
pub mod dot_qmail;
pub mod fastforward;
pub mod tcprules;
pub mod users_assign;

mod address_pattern;
mod file;
mod host_pattern;
mod lines;
pub mod list;
mod refused;
mod registry;

mod badhelo;
mod badmailfrom;
mod badrcptto;
mod bouncefrom;
mod bouncehost;
mod brtlimit;
mod concurrencyincoming;
mod concurrencylocal;
mod concurrencyremote;
mod databytes;
mod defaultdomain;
mod defaulthost;
mod dnsbllist;
mod doublebouncehost;
mod doublebounceto;
mod envnoathost;
mod greylisting;
mod helohost;
mod idhost;
mod localiphost;
mod locals;
mod maxrcpt;
mod me;
mod morercpthosts;
mod network;
mod network6;
mod outgoingip;
mod percenthack;
mod plusdomain;
mod queuelifetime;
mod rates;
mod rcpthosts;
mod resolvers;
mod scanner;
mod smarthost;
mod smtpgreeting;
mod smtproutes;
mod spfbehavior;
mod subaddress;
mod tarpitcount;
mod tarpitdelay;
mod timeoutconnect;
mod timeoutremote;
mod timeoutsmtpd;
mod timeservers;
mod virtualdomains;

pub use address_pattern::AddressPattern;
pub use file::{ControlFile, Kind, ParseError, ReadError};
pub use host_pattern::HostPattern;
pub use refused::REFUSED;
pub use registry::{Entry, Value, ValueError, check_value};

/// Each control file's module and type, in the order of their names: [`REGISTRY`] follows from it.
macro_rules! files {
    ($($module:ident::$file:ident,)+) => {
        $(pub use $module::$file;)+

        /// Every control file, by name.
        pub const REGISTRY: &[Entry] = &[$(registry::entry::<$file>()),+];
    };
}

files! {
    badhelo::Badhelo,
    badmailfrom::Badmailfrom,
    badrcptto::Badrcptto,
    bouncefrom::Bouncefrom,
    bouncehost::Bouncehost,
    brtlimit::Brtlimit,
    concurrencyincoming::Concurrencyincoming,
    concurrencylocal::Concurrencylocal,
    concurrencyremote::Concurrencyremote,
    databytes::Databytes,
    defaultdomain::Defaultdomain,
    defaulthost::Defaulthost,
    dnsbllist::Dnsbllist,
    doublebouncehost::Doublebouncehost,
    doublebounceto::Doublebounceto,
    envnoathost::Envnoathost,
    greylisting::Greylisting,
    helohost::Helohost,
    idhost::Idhost,
    localiphost::Localiphost,
    locals::Locals,
    maxrcpt::Maxrcpt,
    me::Me,
    morercpthosts::Morercpthosts,
    network::Network,
    network6::Network6,
    outgoingip::Outgoingip,
    percenthack::Percenthack,
    plusdomain::Plusdomain,
    queuelifetime::Queuelifetime,
    rates::Rates,
    rcpthosts::Rcpthosts,
    resolvers::Resolvers,
    scanner::Scanner,
    smarthost::Smarthost,
    smtpgreeting::Smtpgreeting,
    smtproutes::Smtproutes,
    spfbehavior::Spfbehavior,
    subaddress::Subaddress,
    tarpitcount::Tarpitcount,
    tarpitdelay::Tarpitdelay,
    timeoutconnect::Timeoutconnect,
    timeoutremote::Timeoutremote,
    timeoutsmtpd::Timeoutsmtpd,
    timeservers::Timeservers,
    virtualdomains::Virtualdomains,
}

pub use dnsbllist::BlockList;
pub use greylisting::Delays;
pub use resolvers::{NoResolver, Resolver};
pub use scanner::{Engine, OnFailure, OnInfected};
pub use smarthost::{KeyDigest, Login, NoDigest};
pub use smtproutes::{NoRelay, Relay, RelayHost};
pub use timeservers::Timeserver;
pub use virtualdomains::{NoVirtualDomain, VirtualDomain, VirtualKey};
