//! `postkiln build`: being begun.

use crate::outcome::{Exit, Failure};

/// Builds the bootable image of a site
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: std::path::PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::unavailable("`postkiln build` is not there yet"))
}
