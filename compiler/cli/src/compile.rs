//! `postkiln compile`: the bundle as a directory.

use std::path::PathBuf;

use crate::bundle::site_bundle_denying;
use crate::findings::Deny;
use crate::outcome::{Exit, Failure};
use crate::output;
use crate::serials;

/// Writes a site's bundle into a folder
///
/// The bundle is what the node runs from: qmail control files, users/cdb, tcprules, delivery instructions, zones, the
/// seed of the user database, the scanner's configuration and a manifest with a hash of every file. The same commit
/// gives the same bytes on every machine. Zones have a serial number that grows: the time of the newest commit that
/// touched the site. It holds password hashes: files are written with mode 0600.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln compile mysite -o out
  postkiln compile mysite -o out2 --after out     a site without a repository
  cat out/control/rcpthosts

Exit codes: 0 written, 1 the site has errors, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// The folder to write; must not exist, or be empty
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Count warnings as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    serials: serials::Options,
    /// Print the manifest as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Runs the command `compile`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let bundle = site_bundle_denying(&args.site, &args.serials.numbering()?, args.deny)?;
    bundle
        .write(&args.output)
        .map_err(|source| Failure::environment(format!("cannot write {}", args.output.display()), source))?;
    if args.json {
        output::json(bundle.manifest());
    } else {
        output::result(&bundle.manifest().identity);
        output::note(&format!("{} files in {}", bundle.files().count() + 1, args.output.display()));
    }
    Ok(Exit::Success)
}
