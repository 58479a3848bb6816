//! From a [`postkiln_site::Site`] to a [`Blueprint`]: every default decided, every reference proved. All semantic
//! findings are collected, with places, codes and hints.
//!
//! Knows nothing about evaluation and nothing about file formats beyond those of `schemas/control`. Start at [`lower`].

mod cause;
mod der;
mod entrance;
mod findings;
pub mod impact;
mod instructions;
mod itinerary;
mod lower;
mod memory;
mod model;
mod not_yet;
mod object;
pub mod origin;
mod place;
mod prove;
mod services;
mod source_map;
mod tcp;
mod world;
mod zones;

pub use cause::Cause;
pub use instructions::{Delivery, Own};
pub use itinerary::{End, Itinerary, Stop, itinerary};
pub use lower::{Proofs, Unproved, decide, lower};
pub use model::{
    Antivirus, Blueprint, CatchAll, Certificate, ClientProtocol, ClientServer, Database, DatabaseServer, Dkim, Forward,
    Ldap, Limits, List, MailDomain, Managed, Move, Need, Password, Permission, Posting, Purpose, Responder, Retention,
    Signature, Storage, StsMode, StsPolicy, Subaddress, Tls, TlsVersion, Touched, Unreadable, User, Web, Zone,
    ZoneRecord,
};
pub use object::{Kind, ObjectId};
pub use postkiln_site::VERSION as LANGUAGE;
pub use postkiln_site::{DkimAlgorithm, DkimKey, DkimState, SecretKind, SecretVersion};
pub use source_map::{Lines, SourceMap};
pub use world::World;

use postkiln_findings::codes;

#[cfg(test)]
mod tests;
