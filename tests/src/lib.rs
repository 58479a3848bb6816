//! The harness of the tests that use Postkiln's programs as a person does: started, spoken to over sockets by clients
//! that are not ours, killed, looked at from outside.
//!
//! The harness knows nothing about the insides of a role; what it shares with the product are formats (`schemas/`).
//! Start with [`Running`] (a node in `run` mode), [`Site`] (a site to run), [`Keeper`] (its secrets), [`Machine`] (an
//! appliance in QEMU), [`Database`] (to load seeds into), [`clients`] (Python's and a bare line client), [`nbd`] (a
//! disk that forgets).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a failure here is the failure of a test"
)]

pub mod clients;
mod database;
mod keeper;
mod machine;
mod name_server;
pub mod nbd;
mod running;
mod sink;
mod site;
#[cfg(target_arch = "x86_64")]
pub mod taken;
pub mod unsynced;
mod wait;
pub mod world;

use std::path::{Path, PathBuf};

pub use database::{Database, Engine, Mariadb, Postgres};
pub use keeper::{Keeper, check_unseen, status};
pub use machine::{Image, Machine};
pub use name_server::NameServer;
pub use running::{Running, Service, processes_of};
pub use sink::{Received, Sink, Verdict};
pub use site::Site;
pub use wait::{Ended, eventually, finish, lines_of};

/// A program of this workspace, as the same `cargo` run built it: it lies beside the test executables' folder.
///
/// # Panics
/// When the program is missing: `cargo test` builds the tests' own package only, so the programs must be built first
/// (`cargo build --release --workspace`).
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let built = test.ancestors().nth(2).expect("tests lie in deps/").join(name);
    assert!(built.is_file(), "{} is missing: cargo build --release --workspace", built.display());
    built
}

/// The repository's top folder.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the top folder")
}

/// A folder below `target/` that outlives a test run: stores and images that are expensive to make.
///
/// When the folder cannot be made.
/// When it cannot be made.
#[must_use]
pub fn kept(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let folder = test.ancestors().nth(4).expect("target/<triple>/release/deps/test").join("kept").join(name);
    std::fs::create_dir_all(&folder).expect("target/ is writable");
    folder
}
