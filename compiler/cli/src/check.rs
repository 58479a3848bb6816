//! `postkiln check`: every finding about a site.

mod changes;
mod watch;

use std::path::PathBuf;

use serde::Serialize;

use crate::bundle::Checked;
use crate::findings::{self, Deny};
use crate::outcome::{Exit, Failure};
use crate::{bundle, output, serials};

/// Shows every mistake in a site at once
///
/// Evaluates the site within limits (10 s of processor time, 1 GiB of memory), checks every value and reference, and
/// proves that each declared address leads somewhere. Nothing is written and no port is opened.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln check mysite
  postkiln check mysite --deny warnings
  postkiln check mysite --json | jq '.findings[].message'
  postkiln check mysite --sarif > findings.sarif
  postkiln check mysite --watch

Exit codes: 0 no errors (warnings are shown), 1 errors, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// Count warnings as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    serials: serials::Options,
    /// Print the findings as JSON on stdout
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// Print the findings as SARIF 2.1.0 on stdout, which forges show beside the lines of a change
    #[arg(long)]
    sarif: bool,
    /// Go on: check again whenever a file of the site changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["json", "sarif"])]
    watch: bool,
}

/// Runs the command `check`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let numbering = args.serials.numbering()?;
    if args.watch {
        return watch::run(&args.site, args.deny, numbering);
    }
    let Checked { lowered, found } = bundle::check(&args.site, Some(&numbering))?;
    // The process ends soon: freeing the memory of a hundred thousand users one by one would take a tenth of the time.
    std::mem::forget(lowered);
    let verdict = findings::judge(&found, args.deny);
    if args.json {
        let ok = verdict.is_ok();
        output::json(&Report { ok, findings: found.iter().map(postkiln_findings::finding_json).collect() });
    } else if args.sarif {
        output::json(&findings::sarif(&args.site, &found, verdict.is_err()));
    } else {
        findings::show(&args.site, &found);
        if found.is_empty() {
            output::result("no findings");
        } else {
            output::result(&findings::count(&found));
        }
    }
    verdict.map(|()| Exit::Success)
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    findings: Vec<serde_json::Value>,
}
