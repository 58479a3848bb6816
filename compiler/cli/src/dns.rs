//! `postkiln dns`: the records that the DNS must have for a site.

use std::path::PathBuf;

use postkiln_bundle::paths;

use crate::bundle::site_bundle;
use crate::outcome::{Exit, Failure};
use crate::output;
use crate::serials;

/// Prints the zones of a site, or every record with its reason
///
/// Zones come as master files that a name server loads. `--json` gives the same records for a provider's forms or a
/// program: with name, type, value in parts, why it is there and how much depends on it, and the names to ask for the
/// appliance's addresses. The world's DNS is not asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln dns mysite
  postkiln dns mysite --json | jq -r '.records[] | [.fqdn, .type] | @tsv'

Exit codes: 0 printed, 1 the site has errors, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: PathBuf,
    #[command(flatten)]
    serials: serials::Options,
    /// Print every record as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Runs the command `dns`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let bundle = site_bundle(&args.site, &args.serials.numbering()?)?;
    let mut zones = 0;
    for (entry, bytes) in bundle.files() {
        let wanted = if args.json { entry.path == paths::RECORDS } else { paths::is_zone(&entry.path) };
        if wanted {
            output::result(String::from_utf8_lossy(bytes).trim_end());
            zones += 1;
        }
    }
    if zones == 0 {
        output::note("no zone is published (`dns.publish = false`); --json lists the records");
    }
    Ok(Exit::Success)
}
