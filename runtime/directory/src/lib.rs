//! People's accounts and the way from an address to its destinations, as `directoryd` needs them: the SQLite database,
//! the accounts a bundle brings, password checks, the look-ups behind `schemas/routing`. Knows no role and no
//! conversation. No other code sees password hashes. Start at [`Directory`].

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod alias_table;
mod database;
mod error;
pub mod password;
mod seed;
mod tables;
mod throttle;

pub use database::{Account, Credentials, Denied, Directory};
pub use error::DirectoryError;
pub use seed::{Seed, Seeding};
pub use tables::{Tables, Walk};
pub use throttle::{Throttle, When, network_of};
