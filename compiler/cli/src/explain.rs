//! `postkiln explain`: what a code means.

use postkiln_findings::{codes, explanation};

use crate::outcome::{Exit, Failure};
use crate::output;

/// Explains a finding by its code
///
/// Says what the code of a finding means, why it is refused, and shows an example that is wrong and one that is right.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln explain E0302
  postkiln explain --list
  postkiln explain E0302 --json

Exit codes: 0 explained, 64 there is no such code.")]
pub(crate) struct Args {
    /// The code of a finding, as it stands in brackets: E0302
    #[arg(value_name = "CODE", required_unless_present = "list")]
    about: Option<String>,
    /// List all codes with what they are about
    #[arg(long, conflicts_with = "about")]
    list: bool,
    /// Print JSON on stdout
    #[arg(long)]
    json: bool,
    /// With --list: print all explanations as one page of Markdown
    #[arg(long, requires = "list", conflicts_with = "json")]
    markdown: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let Some(about) = args.about.as_deref() else {
        list(&args);
        return Ok(Exit::Success);
    };
    let code = codes::find(about).ok_or_else(|| unknown(about))?;
    if args.json {
        output::json(&explanation::object(code));
    } else {
        output::result(&explanation::text(code));
    }
    Ok(Exit::Success)
}

fn list(args: &Args) {
    if args.markdown {
        output::result(explanation::page().trim_end());
    } else if args.json {
        let all: Vec<_> = codes::all().into_iter().map(explanation::object).collect();
        output::json(&all);
    } else {
        for code in codes::all() {
            output::result(&format!("{code}  {}", code.title()));
        }
    }
}

fn unknown(name: &str) -> Failure {
    let near = codes::nearest(name).map(|near| format!("did you mean {near}?"));
    let hint = near.unwrap_or_else(|| "`postkiln explain --list` shows all codes".to_owned());
    Failure::Usage(format!("there is no code {name:?}: {hint}"))
}
