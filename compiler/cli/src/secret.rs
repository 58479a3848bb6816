//! `postkiln secret`: the values that a site names, in an encrypted file beside it. There is one file per group of
//! commands; the parts that they share are here. Values go in by files, pipes and prompts, and never come out.

pub(crate) mod ask;
mod change;
mod folder;
mod keys;
mod list;
mod readers;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use postkiln_secrets::{Folder, Identity, SecretsError};

use crate::findings;
use crate::outcome::{Exit, Failure};

/// Keeps the values of a site's secrets in an encrypted file beside it
///
/// A site names secrets (`password = { secret = "relay" }`); their values are in secrets.age, encrypted with age to the
/// people who keep them. secrets.lock beside it holds a version of each and the public half of keys: commit both.
/// Checking, planning and building need neither the values nor anybody's key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret init mysite          your key, and an empty file of secrets
  postkiln secret set mysite relay     asks for the value, or reads a pipe
  postkiln secret set mysite dkim.example.org --generate
  postkiln secret list mysite

Private keys are read from --identity, else $POSTKILN_IDENTITY, else ~/.config/postkiln/identity.

Exit codes: 0 done, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(readers::InitArgs),
    Identity(readers::IdentityArgs),
    Recipients(readers::RecipientsArgs),
    Set(change::SetArgs),
    Rotate(change::RotateArgs),
    Advance(change::AdvanceArgs),
    Remove(change::RemoveArgs),
    List(list::ListArgs),
    Check(list::CheckArgs),
}

/// Runs the command `secret`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    match args.command {
        Command::Init(args) => readers::init(&args),
        Command::Identity(args) => readers::identity(&args),
        Command::Recipients(args) => readers::recipients(&args),
        Command::Set(args) => change::set(&args),
        Command::Rotate(args) => change::rotate(&args),
        Command::Advance(args) => change::advance(&args),
        Command::Remove(args) => change::remove(&args),
        Command::List(args) => list::list(&args),
        Command::Check(args) => list::check(&args),
    }
}

/// The site whose secrets are meant, and the identity that opens them.
#[derive(Debug, clap::Args)]
struct Place {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// The file of private keys that opens the secrets [default: $POSTKILN_IDENTITY, else ~/.config/postkiln/identity]
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

impl Place {
    /// Opens the site's folder for a change.
    fn alone(&self) -> Result<Folder, Failure> {
        let unreadable = |error| Failure::environment(format!("cannot read {}", self.site.display()), error);
        self.site.metadata().map_err(unreadable)?;
        Folder::alone(&findings::folder(&self.site)).map_err(failure)
    }

    fn identity(&self) -> Result<Identity, Failure> {
        let path = identity_path(self.identity.as_deref())?;
        if !path.exists() {
            return Err(Failure::Wrong(self.first_steps(&path)));
        }
        Identity::read(&path, ask::passphrase).map_err(failure)
    }

    /// The first steps for a person without a private key.
    fn first_steps(&self, path: &Path) -> String {
        let none = format!("there is no identity at {}", path.display());
        let site = self.site.display();
        if Folder::new(&findings::folder(&self.site)).has_vault() {
            format!(
                "{none}: secrets.age is opened with a private key. Give the one you have with --identity FILE; or make one with \
                 `postkiln secret identity`, and let somebody who can read the secrets run \
                 `postkiln secret recipients {site} --add KEY` with the public key that it prints"
            )
        } else {
            format!("{none}, and the site has no secrets yet: begin with `postkiln secret init {site}`")
        }
    }
}

/// The path of the file of private keys: the given one, else `$POSTKILN_IDENTITY`, else one below the person's
/// configuration (XDG Base Directory Specification).
pub(crate) fn identity_path(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
    if let Some(path) = named("POSTKILN_IDENTITY") {
        return Ok(path);
    }
    let configuration = named("XDG_CONFIG_HOME").or_else(|| named("HOME").map(|home| home.join(".config")));
    let configuration =
        configuration.ok_or_else(|| Failure::Usage("there is no home directory: give --identity".into()))?;
    Ok(configuration.join("postkiln/identity"))
}

/// Turns an error of the crate into a failure: exit code 1 for faulty secrets, 4 for failures of the machine.
pub(crate) fn failure(error: SecretsError) -> Failure {
    match error {
        SecretsError::Io { .. } | SecretsError::Generate(_) => {
            let what = error.to_string();
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Failure::environment(what, source)
        }
        SecretsError::Mismatch(ref differences) => {
            let mut text = "secrets.age and secrets.lock do not belong together:".to_owned();
            for difference in differences {
                text.push_str("\n  ");
                text.push_str(difference);
            }
            text.push_str(
                "\nput the right files in place, or let `postkiln secret check SITE --mend` write secrets.lock anew",
            );
            Failure::Wrong(text)
        }
        error => Failure::Wrong(error.to_string()),
    }
}
