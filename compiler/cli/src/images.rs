//! `postkiln images`: being begun.

use crate::outcome::{Exit, Failure};

/// Looks after the pinned packages that images are made of
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::unavailable("`postkiln images` is not there yet"))
}
