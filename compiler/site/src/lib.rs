//! From the text a person wrote to a [`Site`]: evaluation in a sandbox, decoding with places, all mistakes together.
//! Knows nothing about defaults that depend on one another, nor about what is rendered. Start at [`read()`].

mod answer;
mod beneath;
mod child;
mod confine;
mod decode;
mod evaluate;
mod files;
#[cfg(test)]
mod full_example;
mod lines;
mod migrate;
mod model;
mod nesting;
mod outline;
mod population;
mod read;
mod schema;
mod secrets;
mod serve;
mod shape;
mod source;
mod wire;

pub use beneath::ordinary;
pub use child::{CHILD_COMMAND, evaluate_child};
pub use decode::{VERSION, size_text};
pub use migrate::{Migration, migrate};
pub use model::*;
pub use outline::outline;
pub use population::shown;
pub use postkiln_findings::{Diagnostic, Place};
pub use read::{Read, Reader, Unsound, read, read_json, read_unconfined};
pub use schema::FILES as SCHEMA;
pub use secrets::{
    DkimAlgorithm, DkimKey, DkimState, SECRETS_AGE, SECRETS_LOCK, SecretKind, SecretPurpose, SecretUse, SecretVersion,
    SecretsLock, Strength, Wanted, is_secret_name, strength,
};
pub use shape::{Definition, Field, Outline, Presence, Shape};

use postkiln_findings::{codes, suggest};
