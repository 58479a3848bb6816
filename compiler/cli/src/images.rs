//! `postkiln images`: the lock of the packages that images are made of.

use std::fs;
use std::path::PathBuf;

use postkiln_images::{Lock, Mirror, moved};

use crate::outcome::{Exit, Failure};
use crate::output;
use crate::progress::Progress;

/// Looks after the pinned packages that images are made of
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln images lock --check

Exit codes: 0 done, 1 pins are gone, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Lock(LockArgs),
}

/// Moves the lock to what the Debian archive has now, or checks it
///
/// Reads the archive's release files, checks that Debian's release keys signed them, and writes the newest version of
/// every package that images need, with its SHA-256. Prints what moved. The archive drops superseded versions: with
/// --check nothing is written, and pins that are gone are named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln images lock --check
  postkiln images lock --lock images/packages.lock

Exit codes: 0 done or all pins are there, 1 --check found pins that are gone, 4 the archive cannot be used, \
64 wrong usage.")]
struct LockArgs {
    /// The lock's file
    #[arg(long, value_name = "FILE", default_value = "images/packages.lock")]
    lock: PathBuf,
    /// The Debian archive; the host's apt sources say it otherwise
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Change nothing; fail when a pinned package has left the archive
    #[arg(long)]
    check: bool,
}

/// Runs the command `images`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let Command::Lock(args) = args.command;
    let mirror = Mirror::find(args.mirror.as_deref()).map_err(failed)?;
    if args.check { check(&args, &mirror) } else { renew(&args, &mirror) }
}

fn check(args: &LockArgs, mirror: &Mirror) -> Result<Exit, Failure> {
    let lock = if args.lock.exists() { Lock::read(&args.lock) } else { Lock::builtin() }.map_err(failed)?;
    let progress = Progress::begin("reading the archive's index");
    let left = lock.left(mirror).map_err(failed)?;
    progress.done();
    for pin in &left {
        output::result(&format!("gone: {} {} ({})", pin.name, pin.version, pin.archive));
    }
    if left.is_empty() {
        output::note(&format!("all {} packages are in the archive", lock.packages.len()));
        return Ok(Exit::Success);
    }
    let count = left.len();
    Err(Failure::Wrong(format!("{count} pinned packages have left the archive; `postkiln images lock` moves the lock")))
}

fn renew(args: &LockArgs, mirror: &Mirror) -> Result<Exit, Failure> {
    let old = if args.lock.exists() { Some(Lock::read(&args.lock).map_err(failed)?) } else { None };
    let progress = Progress::begin("reading the archive's index");
    let new = Lock::newest(mirror).map_err(failed)?;
    progress.done();
    let lines = moved(old.as_ref(), &new);
    lines.iter().for_each(|line| output::result(line));
    fs::write(&args.lock, new.print())
        .map_err(|source| Failure::environment(format!("cannot write {}", args.lock.display()), source))?;
    let count = lines.len();
    output::note(&format!("{count} of {} packages moved; written to {}", new.packages.len(), args.lock.display()));
    Ok(Exit::Success)
}

fn failed(error: postkiln_images::ImageError) -> Failure {
    Failure::environment("the lock of packages", error)
}
