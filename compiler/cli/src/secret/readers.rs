//! The people who can read a site's secrets: making a key, beginning a file, letting people in and out.

use std::path::{Path, PathBuf};

use postkiln_secrets::{Identity, Vault, is_recipient};

use super::{Place, failure, folder, identity_path};
use crate::findings;
use crate::outcome::{Exit, Failure};
use crate::output;

/// Begins the secrets of a site, encrypted to you
///
/// Makes your private key if you have none (see `postkiln secret identity`), and an empty secrets.age and secrets.lock
/// beside the site. Prints your public key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret init mysite
  postkiln secret init mysite --identity ~/.ssh/id_ed25519

Exit codes: 0 begun, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct InitArgs {
    #[command(flatten)]
    place: Place,
}

/// Makes your private key if there is none, and prints its public half
///
/// The file is readable by you alone and must lie outside of every repository. Give the public key to somebody who can
/// read the secrets of a site already: `postkiln secret recipients SITE --add KEY`. An SSH key does as well: give them
/// its .pub file's line, and use --identity ~/.ssh/id_ed25519.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret identity

Exit codes: 0 printed, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct IdentityArgs {
    /// The file of private keys [default: $POSTKILN_IDENTITY, else ~/.config/postkiln/identity]
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

/// Shows who can read the secrets, and changes it
///
/// Adding and removing encrypts the file anew. Whoever is removed may have kept the values: rotate what they knew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret recipients mysite
  postkiln secret recipients mysite --add age1…
  postkiln secret recipients mysite --add \"$(cat grace.pub)\"
  postkiln secret recipients mysite --remove age1…

Exit codes: 0 done, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct RecipientsArgs {
    #[command(flatten)]
    place: Place,
    /// Let this public key read them: age1…, or a line of an SSH .pub file
    #[arg(long, value_name = "KEY")]
    add: Vec<String>,
    /// Let this one read them no more
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
}

pub(super) fn init(args: &InitArgs) -> Result<Exit, Failure> {
    let folder = args.place.alone()?;
    if folder.has_vault() {
        let hint = "to read them, have your public key added: `postkiln secret identity` prints it";
        return Err(Failure::Wrong(format!("the site has secrets already; {hint}")));
    }
    let public = own(args.place.identity.as_deref(), Some(&args.place.site))?;
    let mut vault = Vault::empty(vec![public.clone()]);
    folder.write(&mut vault).map_err(failure)?;
    output::result(&public);
    output::note("secrets.age and secrets.lock are beside the site: commit both");
    Ok(Exit::Success)
}

pub(super) fn identity(args: &IdentityArgs) -> Result<Exit, Failure> {
    output::result(&own(args.identity.as_deref(), None)?);
    Ok(Exit::Success)
}

pub(super) fn recipients(args: &RecipientsArgs) -> Result<Exit, Failure> {
    if args.add.is_empty() && args.remove.is_empty() {
        let lock = folder::lock(&args.place.site)?;
        if lock.recipients.is_empty() {
            output::note("the site has no secrets yet: `postkiln secret init SITE` begins");
        }
        lock.recipients.iter().for_each(|recipient| output::result(&recipient.value));
        return Ok(Exit::Success);
    }
    if let Some(wrong) = args.add.iter().find(|key| !is_recipient(key.trim())) {
        return Err(Failure::Usage(format!("{wrong:?} is no public key that secrets can be encrypted to")));
    }
    let folder = args.place.alone()?;
    let mut vault = folder.open_whole(&args.place.identity()?).map_err(failure)?;
    for key in &args.remove {
        let before = vault.recipients.len();
        vault.recipients.retain(|present| present != key.trim());
        if vault.recipients.len() == before {
            return Err(Failure::Wrong(format!("{key} is not among those who can read the secrets")));
        }
    }
    for key in &args.add {
        let key = key.trim().to_owned();
        if !vault.recipients.contains(&key) {
            vault.recipients.push(key);
        }
    }
    folder.write(&mut vault).map_err(failure)?;
    vault.recipients.iter().for_each(|recipient| output::result(recipient));
    if !args.remove.is_empty() {
        output::note("whoever was removed may know the values: `postkiln secret rotate` those that matter");
    }
    Ok(Exit::Success)
}

/// The public key of the person's own file; the file is made when there is none.
fn own(given: Option<&Path>, site: Option<&Path>) -> Result<String, Failure> {
    let path = identity_path(given)?;
    if path.exists() {
        let publics = Identity::publics(&path).map_err(failure)?;
        let first = publics.into_iter().next();
        return first.ok_or_else(|| {
            let what = format!("{} is not a file of age keys", path.display());
            Failure::Wrong(format!(
                "{what}; for an SSH key, give the line of its .pub file to `secret recipients --add`"
            ))
        });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::environment(format!("cannot make {}", folder.display()), error))?;
    keep_out(folder, site)?;
    let public = Identity::make(&path).map_err(failure)?;
    output::note(&format!("your private key is in {}: keep a copy where only you find it", path.display()));
    Ok(public)
}

/// Refuses a path in a repository or beside the site: a private key there will be committed by somebody one day.
fn keep_out(folder: &Path, site: Option<&Path>) -> Result<(), Failure> {
    let whole = |path: &Path| {
        path.canonicalize().map_err(|error| Failure::environment(format!("cannot find {}", path.display()), error))
    };
    let folder = whole(folder)?;
    let refuse =
        |why: String| Err(Failure::Usage(format!("a private key is kept outside: {} is {why}", folder.display())));
    if let Some(site) = site {
        let site = whole(&findings::folder(site))?;
        if folder.starts_with(&site) {
            return refuse("in the site".to_owned());
        }
    }
    match folder.ancestors().find(|above| above.join(".git").exists()) {
        Some(repository) => refuse(format!("in the repository {}", repository.display())),
        None => Ok(()),
    }
}
