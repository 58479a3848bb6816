//! Showing secrets without their values, and checking that the two files belong together.

use std::collections::BTreeSet;
use std::path::Path;

use postkiln_secrets::{Folder, State};
use postkiln_site::{DkimState, SecretVersion, SecretsLock, Site, read};
use serde::Serialize;

use super::folder::{lock, looking};
use super::{Place, failure};
use crate::outcome::{Exit, Failure};
use crate::output;

/// Lists the secrets of a site: kinds, versions, where they are used, which are missing; never a value
///
/// Needs nobody's key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret list mysite
  postkiln secret list mysite --json | jq '.[].name'

Exit codes: 0 listed, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct ListArgs {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: std::path::PathBuf,
    /// Print JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Checks that secrets.age and secrets.lock belong together, and that every secret the site names is there
///
/// With your key the two are compared in full; without it only by the digest that secrets.lock holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret check mysite
  postkiln secret check mysite --mend

Exit codes: 0 all is well, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    place: Place,
    /// Write secrets.lock anew from secrets.age
    #[arg(long)]
    mend: bool,
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let lock = lock(&args.site)?;
    let site = site(&args.site);
    let rows = rows(&lock, site.as_ref());
    if args.json {
        output::json(&rows);
    } else {
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for row in &rows {
            let (kind, version) = (row.kind.as_deref().unwrap_or("missing"), row.version.as_deref().unwrap_or("-"));
            output::result(&format!("{:width$}  {kind:8}  {version:16}  {}", row.name, row.used()));
            for key in &row.keys {
                output::result(&format!("{:width$}  {key}", ""));
            }
        }
    }
    for problem in outside(&looking(&args.site), &lock)? {
        output::note(&format!("warning: {problem}"));
    }
    Ok(Exit::Success)
}

pub(super) fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    if args.mend {
        let folder = args.place.alone()?;
        let opened = folder.open(&args.place.identity()?).map_err(failure)?;
        folder.mend(&opened.vault).map_err(failure)?;
        output::note("secrets.lock is written anew from secrets.age");
    }
    let lock = lock(&args.place.site)?;
    let folder = looking(&args.place.site);
    let mut problems = outside(&folder, &lock)?;
    let path = super::identity_path(args.place.identity.as_deref())?;
    if folder.has_vault() && (args.place.identity.is_some() || path.exists()) {
        match folder.open(&args.place.identity()?).map_err(failure)?.state {
            State::Whole => {}
            State::CutOff => {
                problems.push("a command was cut off before it wrote secrets.lock; --mend writes it".to_owned())
            }
            State::Different(differences) => problems.extend(differences),
        }
    } else if folder.has_vault() {
        output::note("compared by digest only: there is no identity here to open secrets.age");
    }
    let site = site(&args.place.site);
    let missing = rows(&lock, site.as_ref()).into_iter().filter(|row| row.kind.is_none());
    problems.extend(
        missing
            .map(|row| format!("{0} is missing: {1} (make it: `postkiln secret set SITE {0}`)", row.name, row.used())),
    );
    if problems.is_empty() {
        output::result("no findings");
        return Ok(Exit::Success);
    }
    Err(Failure::Wrong(problems.join("\npostkiln: ")))
}

/// The faults of the encrypted file that are visible without opening it.
fn outside(folder: &Folder, lock: &SecretsLock) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    match folder.is_sealed_by(lock).map_err(failure)? {
        Some(false) => problems.push("secrets.age is not the file that secrets.lock was written with".to_owned()),
        None if !lock.secrets.is_empty() => {
            output::note("secrets.age is not here: the values cannot be read or changed");
        }
        Some(true) | None => {}
    }
    if folder.is_exposed() {
        // A clone has the file with this mode, and the content is encrypted: no reason to fail.
        output::note("secrets.age can be read by others on this machine: `chmod 600 secrets.age`");
    }
    Ok(problems)
}

/// The site, if it can be read: without it nobody knows which secrets are used.
fn site(path: &Path) -> Option<Site> {
    match read(path) {
        Ok((site, _)) => Some(site),
        Err(_) => {
            output::note("the site has errors (`postkiln check`), so where secrets are used is not known");
            None
        }
    }
}

/// One secret of the list.
#[derive(Serialize)]
struct Row {
    name: String,
    /// The kind; `None` for a secret that the site names and nobody has set.
    kind: Option<String>,
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
    /// The places of use; `None` when the site cannot be read.
    used_by: Option<Vec<String>>,
}

impl Row {
    fn used(&self) -> String {
        match self.used_by.as_deref() {
            None => String::new(),
            Some([]) => "not used".to_owned(),
            Some(uses) => uses.join(", "),
        }
    }
}

fn rows(lock: &SecretsLock, site: Option<&Site>) -> Vec<Row> {
    let uses = site.map(Site::secret_uses);
    let named = uses.iter().flatten().map(|used| used.name);
    let names: BTreeSet<&str> = lock.secrets.keys().map(String::as_str).chain(named).collect();
    let row = |name: &str| {
        let secret = lock.secrets.get(name).map(|secret| &secret.value);
        let used = uses.as_ref().map(|uses| {
            let uses = uses.iter().filter(|used| used.name == name);
            let place = |place: &postkiln_site::Place| format!("{}:{}:{}", place.file, place.line, place.column);
            uses.map(|used| format!("{} ({})", used.what, place(used.place))).collect()
        });
        Row {
            name: name.to_owned(),
            kind: secret.map(|secret| secret.kind.word().to_owned()),
            version: secret.map(|secret| secret.version.clone()),
            keys: secret.map(keys).unwrap_or_default(),
            used_by: used,
        }
    };
    names.into_iter().map(row).collect()
}

fn keys(secret: &SecretVersion) -> Vec<String> {
    let keys = secret.dkim_keys().iter();
    keys.map(|key| {
        let state = match &key.state {
            DkimState::Published => "published, waits to sign".to_owned(),
            DkimState::Signing => "signs".to_owned(),
            DkimState::Retiring { since } => format!("retired {since}, still published"),
        };
        format!("key {} {}: {state}", key.number, key.algorithm)
    })
    .collect()
}
