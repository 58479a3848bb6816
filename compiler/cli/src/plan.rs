//! `postkiln plan`: the effects of a commit. The base is found in `plan/base.rs`; plans themselves are made in
//! `compiler/plan`.

mod base;
mod revision;

use std::path::{Path, PathBuf};

use postkiln_blueprint::{ObjectId, SourceMap, origin};
use postkiln_bundle::Manifest;
use postkiln_findings::{Diagnostic, Place, finding_json};
use postkiln_plan::{GuardName, Places, Plan, Replayed, Side, Style, replay};
use postkiln_site::Site;
use serde_json::{Value, json};

use crate::bundle::{self, Compiled};
use crate::findings::{self, Deny};
use crate::outcome::{Exit, Failure};
use crate::output;
use crate::serials::Numbering;

/// Shows what a site changes, before anything is built
///
/// Compares what the machine would be with what it was, in terms of mail: users, aliases, lists, records, secrets by
/// version; where each change is written; which services notice, and how; which records to publish when. The order of
/// things, comments and defaults written out are no change. Passwords and secrets are never shown, nor their hashes.
///
/// The base is a bundle (a directory or a packed file), another site's folder, or a revision of git, whose site is
/// compiled now by this compiler. Without --against it is git's HEAD: what is not committed yet.
///
/// A change that would lose mail or access stops at a guard (exit 3) until it is allowed by name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln plan mysite
  postkiln plan mysite --against origin/main --markdown
  postkiln plan mysite --against out/bundle --json | jq .summary
  postkiln plan mysite --allow remove-domain
  postkiln plan mysite --replay /var/log/mail.log

Exit codes: 0 no change, 1 the site has errors, 2 changes, 3 changes that a guard or a denied warning stops, \
4 the environment failed (or the base cannot be read), 64 wrong usage.")]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// The base: a bundle, another site's folder, or a revision of git
    #[arg(long, value_name = "BASE", default_value = "HEAD")]
    against: String,
    /// Let a guard pass, by the name that the plan gives it; may be repeated
    #[arg(long, value_name = "GUARD")]
    allow: Vec<GuardName>,
    /// Count warnings as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// The serial number of all zones of the new state; without it a commit's time, or the number after the base's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    serial: Option<u32>,
    /// Print the plan as JSON (plan/1)
    #[arg(long, conflicts_with_all = ["markdown", "sarif"])]
    json: bool,
    /// Print the plan as Markdown, for a comment on a change
    #[arg(long, conflicts_with = "sarif")]
    markdown: bool,
    /// Print findings and guards as SARIF 2.1.0, which forges show beside the lines of a change
    #[arg(long)]
    sarif: bool,
    /// Show long sets and texts in full
    #[arg(long)]
    full: bool,
    /// Exit 0 also when there are changes; guards still stop
    #[arg(long)]
    exit_zero: bool,
    /// Walk logged mail through base and site, and show whose fate would be another one
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

/// Runs the command `plan`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let log = args.replay.as_deref().map(read_log).transpose()?;
    let found = base::find(&args.against, &args.site);
    let earlier = found.as_ref().ok().and_then(base::Found::serials);
    let numbering = Numbering { given: args.serial, earlier };
    // The sides of large sites take a good part of a second each, and neither needs the other.
    let (compiled, base) = std::thread::scope(|scope| {
        let base = scope.spawn(|| found.and_then(base::Found::read));
        (
            bundle::compile(&args.site, &numbering, postkiln_render::outline),
            base.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    });
    let (compiled, found) = compiled?;
    let Some((new, (manifest, model))) = compiled else {
        return invalid(&args, &found);
    };
    if !args.sarif {
        findings::show(&args.site, &found);
    }
    let base = base?.decoded(&model, args.replay.is_some())?;
    let here = Written { site: &new.site, map: &new.map };
    let warnings = found.clone();
    let plan = Plan::new(&base.side(), &side(&new, &manifest, &here, "site".to_owned()), warnings, &args.allow);
    let replayed = log.map(|log| replay(&log, base.blueprint(), &new.blueprint));
    print(&args, &plan, &found, replayed.as_ref());
    let verdict = verdict(&args, &plan, &found);
    // Nothing is freed, for the same reason as in `check`.
    std::mem::forget((new, base, model));
    Ok(verdict)
}

/// Reports a site with errors, which has no plan, in the form that was asked for.
fn invalid(args: &Args, found: &[Diagnostic]) -> Result<Exit, Failure> {
    if args.sarif {
        output::json(&findings::sarif(&args.site, found, true));
    } else if args.json {
        let findings: Vec<Value> = found.iter().map(finding_json).collect();
        output::json(&json!({ "format": "plan/1", "complete": false, "applyable": false, "findings": findings }));
    } else {
        findings::show(&args.site, found);
    }
    Err(Failure::Findings)
}

fn print(args: &Args, plan: &Plan, found: &[Diagnostic], replayed: Option<&Replayed>) {
    let style = Style { colour: output::colour_of_result(), full: args.full };
    if args.sarif {
        let called = plan.guards.iter().filter(|guard| !guard.allowed).map(postkiln_plan::Guard::finding);
        let all: Vec<Diagnostic> = found.iter().cloned().chain(called).collect();
        output::json(&findings::sarif(&args.site, &postkiln_findings::in_order(all), !plan.is_applyable()));
    } else if args.json {
        let mut document = postkiln_plan::json(plan);
        if let Some(replayed) = replayed {
            document["replay"] = replayed.json();
        }
        output::json(&document);
    } else {
        let shown = if args.markdown { postkiln_plan::markdown(plan, style) } else { postkiln_plan::text(plan, style) };
        output::result(shown.trim_end());
        if let Some(replayed) = replayed {
            output::result(replayed.text(args.markdown, style).trim_end());
        }
    }
}

fn verdict(args: &Args, plan: &Plan, found: &[Diagnostic]) -> Exit {
    let denied = findings::judge(found, args.deny).is_err();
    match (plan.is_empty(), plan.is_applyable() && !denied) {
        (true, _) if !denied => Exit::Success,
        (true, _) => Exit::Invalid,
        (false, false) => Exit::Guarded,
        (false, true) if args.exit_zero => Exit::Success,
        (false, true) => Exit::Changes,
    }
}

fn read_log(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|source| Failure::environment(format!("cannot read {}", path.display()), source))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A compiled site as a side of a plan.
fn side<'a>(compiled: &'a Compiled, manifest: &'a Manifest, places: &'a dyn Places, label: String) -> Side<'a> {
    Side { blueprint: &compiled.blueprint, manifest, places, label, touched: None }
}

/// The places of a site that is at hand: those of things from the map, those of fields from the site.
struct Written<'a> {
    site: &'a Site,
    map: &'a SourceMap,
}

impl Places for Written<'_> {
    fn place(&self, id: &ObjectId, path: &[&str]) -> Option<Place> {
        let field = if path.is_empty() { None } else { origin::place(self.site, id, path).cloned() };
        field.or_else(|| self.map.place(id))
    }
}
