//! `postkiln boot`: being begun.

use crate::outcome::{Exit, Failure};

/// Boots a site's image in QEMU
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: std::path::PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::unavailable("`postkiln boot` is not there yet"))
}
