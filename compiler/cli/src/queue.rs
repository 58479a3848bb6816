//! `postkiln queue`: being begun.

use crate::outcome::{Exit, Failure};

/// Shows a node's mail queue
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::unavailable("`postkiln queue` is not there yet"))
}
