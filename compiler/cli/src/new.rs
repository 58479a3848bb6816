//! `postkiln new`: being begun.

use crate::outcome::{Exit, Failure};

/// Writes a site to begin with
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::unavailable("`postkiln new` is not there yet"))
}
