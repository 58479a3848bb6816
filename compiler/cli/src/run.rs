//! `postkiln run`: being begun.

use crate::outcome::{Exit, Failure};

/// Runs a site's services on this machine, without root, on high ports
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: std::path::PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::unavailable("`postkiln run` is not there yet"))
}
