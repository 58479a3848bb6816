//! Errors of the directory. Every failure here is temporary for the caller.

use std::io;
use std::path::PathBuf;

/// The reason why the directory cannot do something now.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum DirectoryError {
    #[error("cannot open {}", path.display())]
    Open { path: PathBuf, source: sqlx::Error },
    #[error("cannot apply the seed of users")]
    Seed(#[source] sqlx::Error),
    #[error("cannot read the seed of users")]
    SeedText(#[source] io::Error),
    #[error("cannot read an account")]
    Account(#[source] sqlx::Error),
    #[error("cannot record a login")]
    Login(#[source] sqlx::Error),
    #[error("cannot read {path} of the bundle")]
    Bundle { path: String, source: io::Error },
    #[error("{path} of the bundle: {problem}")]
    Malformed { path: &'static str, problem: String },
}
