//! The values of a site's secrets: `secrets.age`, and how it and `secrets.lock` change together.
//!
//! Knows nothing about what a site uses secrets for, nor about terminals. Randomness and the current day are arguments.
//! Start at [`Folder`], which opens a [`Vault`].

mod error;
mod folder;
mod identity;
mod keys;
mod rotation;
mod seal;
mod secret;
mod vault;
mod wire;

pub use error::SecretsError;
pub use folder::{Folder, Opened, State};
pub use identity::{Ask, Identity, is_recipient};
pub use keys::KeyPair;
pub use rotation::Step;
pub use secret::{Secret, password};
pub use vault::{DkimPair, Kept, Value, Vault, fresh_version};
