//! `postkiln status`: being begun.

use crate::outcome::{Exit, Failure};

/// Shows the state of a node's services
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::unavailable("`postkiln status` is not there yet"))
}
