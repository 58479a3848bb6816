//! The files that compiler and services share: qmail's control files (one module each), `users/assign`, tcprules,
//! `.qmail` instructions, and the cdb format under some of them. Each is parsed and printed here and nowhere else.
//!
//! Knows nothing about where files lie: a [`ControlFile`] reads itself from a look-up by name. Start at
//! [`ControlFile`], then [`REGISTRY`], then the module of the file in question.

pub mod cdb;
pub mod dot_qmail;
pub mod tcprules;
pub mod users_assign;

mod file;
mod host_pattern;
mod lines;
pub mod list;
mod registry;

mod badmailfrom;
mod bouncefrom;
mod bouncehost;
mod concurrencylocal;
mod concurrencyremote;
mod databytes;
mod defaultdomain;
mod defaulthost;
mod doublebouncehost;
mod doublebounceto;
mod helohost;
mod locals;
mod maxrcpt;
mod me;
mod network;
mod queuelifetime;
mod rcpthosts;
mod resolvers;
mod scanner;
mod smtpgreeting;
mod smtproutes;
mod subaddress;
mod timeoutconnect;
mod timeoutremote;
mod timeoutsmtpd;
mod virtualdomains;

pub use file::{ControlFile, Kind, ParseError, ReadError};
pub use host_pattern::HostPattern;
pub use registry::{Entry, REGISTRY, Value, ValueError, check_value, closest, closest_name};

pub use badmailfrom::{BadSender, Badmailfrom};
pub use bouncefrom::Bouncefrom;
pub use bouncehost::Bouncehost;
pub use concurrencylocal::Concurrencylocal;
pub use concurrencyremote::Concurrencyremote;
pub use databytes::Databytes;
pub use defaultdomain::Defaultdomain;
pub use defaulthost::Defaulthost;
pub use doublebouncehost::Doublebouncehost;
pub use doublebounceto::Doublebounceto;
pub use helohost::Helohost;
pub use locals::Locals;
pub use maxrcpt::Maxrcpt;
pub use me::Me;
pub use network::Network;
pub use queuelifetime::Queuelifetime;
pub use rcpthosts::Rcpthosts;
pub use resolvers::{Resolver, Resolvers};
pub use scanner::{Engine, OnFailure, OnInfected, Scanner};
pub use smtpgreeting::Smtpgreeting;
pub use smtproutes::{Relay, RelayHost, Smtproutes};
pub use subaddress::Subaddress;
pub use timeoutconnect::Timeoutconnect;
pub use timeoutremote::Timeoutremote;
pub use timeoutsmtpd::Timeoutsmtpd;
pub use virtualdomains::{VirtualDomain, VirtualKey, Virtualdomains};
