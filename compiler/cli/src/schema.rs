//! `postkiln schema`: the language of sites, for reference pages and editors.

mod json_schema;
mod markdown;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::outcome::{Exit, Failure};
use crate::output;

/// Prints what a person may write in a site
///
/// As JSON Schema (for editors of JSON data files, and other programs), as a reference page in Markdown, or as the
/// Nickel contracts themselves, which Nickel's language server needs beside a site (schemas/manual/editor.md). All
/// three come from the contracts that `postkiln check` uses.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln schema --format json-schema >postkiln.schema.json
  postkiln schema --format markdown >language.md
  postkiln schema --format nickel --output ~/.local/share/postkiln

Exit codes: 0 printed, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    /// The form to print
    #[arg(long, value_name = "FORM")]
    format: Form,
    /// For nickel: the folder that gets `postkiln/site.ncl` and the files it imports
    #[arg(long, short, value_name = "DIR", required_if_eq("format", "nickel"))]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// JSON Schema, draft 2020-12
    JsonSchema,
    /// A reference page
    Markdown,
    /// The contracts, as files
    Nickel,
}

/// Runs the command `schema`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let outline = || postkiln_site::outline().map_err(Failure::unavailable);
    match (args.format, args.output) {
        (Form::Nickel, Some(folder)) => contracts(&folder)?,
        (_, Some(_)) => return Err(Failure::Usage("--output is for --format nickel; redirect stdout".to_owned())),
        (Form::JsonSchema, None) => output::json(&json_schema::document(&outline()?)),
        (Form::Markdown | Form::Nickel, None) => output::result(markdown::page(&outline()?).trim_end()),
    }
    Ok(Exit::Success)
}

fn contracts(folder: &std::path::Path) -> Result<(), Failure> {
    let folder = folder.join("postkiln");
    let cannot = |error| Failure::environment(format!("cannot write {}", folder.display()), error);
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    for (name, text) in postkiln_site::SCHEMA {
        std::fs::write(folder.join(name), text).map_err(cannot)?;
    }
    output::result(&folder.join("site.ncl").display().to_string());
    Ok(())
}
