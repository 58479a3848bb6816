//! `postkiln fmt`: a site rewritten for the newest version of the language.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::outcome::{Exit, Failure};
use crate::{findings, output};

/// Rewrites a site for the newest version of the language
///
/// Fields that have other names now are renamed where they stand, in every file the site imports, and the site
/// says which version it is of. Comments and layout stay as they are; laying out itself is the business of
/// Nickel's own `nickel format`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln fmt mysite --migrate --check    what would change
  postkiln fmt mysite --migrate

Exit codes: 0 done, or nothing to do; 1 the site cannot be read, or with --check something would change; \
4 the environment failed; 64 wrong usage.")]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// Rewrite for the newest version of the language
    #[arg(long, required = true)]
    migrate: bool,
    /// Only tell what would change
    #[arg(long)]
    check: bool,
    /// Print the changes as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Runs the command `fmt`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    debug_assert!(args.migrate, "clap requires it");
    args.site
        .metadata()
        .map_err(|source| Failure::environment(format!("cannot read {}", args.site.display()), source))?;
    let migration = postkiln_site::migrate(&args.site).map_err(|found| {
        findings::show(&args.site, &found);
        Failure::Findings
    })?;
    let folder = if args.site.is_dir() { &args.site } else { args.site.parent().unwrap_or(Path::new(".")) };
    if !args.check {
        for (path, text) in &migration.files {
            replace(&folder.join(path), text)?;
        }
    }
    let changes: Vec<Change<'_>> = migration
        .changes
        .iter()
        .map(|(place, change)| Change { file: &place.file, line: place.line, column: place.column, change })
        .collect();
    if args.json {
        output::json(&Report { from: migration.from, to: postkiln_site::VERSION, changes });
    } else {
        for Change { file, line, column, change } in &changes {
            output::result(&format!("{file}:{line}:{column}: {change}"));
        }
        if changes.is_empty() {
            output::note(&format!("the site is of version {}, the newest", postkiln_site::VERSION));
        }
    }
    Ok(if args.check && !migration.files.is_empty() { Exit::Invalid } else { Exit::Success })
}

#[derive(Serialize)]
struct Report<'a> {
    from: u32,
    to: u32,
    changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    change: &'a str,
}

/// Replaces the content of a file at once: a reader sees the old or the new one. The file keeps its mode.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let cannot = |error| Failure::environment(format!("cannot write {}", path.display()), error);
    let new = path.with_extension("ncl.new");
    let write = || {
        let mut file = fs::File::create(&new)?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(cannot)
}
