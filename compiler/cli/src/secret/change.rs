//! Setting, rotating and removing secrets.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use postkiln_blueprint::DkimAlgorithm;
use postkiln_control::Queuelifetime;
use postkiln_secrets::{Step, Value, Vault};
use postkiln_site::Site;
use rand_core::OsRng;

use super::keys::{Algorithm, Kind, Source, algorithm};
use super::{Place, failure};
use crate::outcome::{Exit, Failure};
use crate::output;

/// Sets a secret: asks for the value, reads it from a pipe or a file, or makes one
///
/// One line end after the value is left out. The kind is what the site wants where it names the secret; otherwise a
/// password. The value is never printed; each change gets a new random version, which plans compare.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret set mysite relay
  pass show relay | postkiln secret set mysite relay
  postkiln secret set mysite dkim.example.org --generate
  postkiln secret set mysite web --kind tls-key --from-file web.key

Exit codes: 0 set, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct SetArgs {
    #[command(flatten)]
    place: Place,
    /// The secret's name
    name: String,
    /// The kind of value; by default the one that the site wants
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Read the value from this file
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    from_file: Option<PathBuf>,
    /// Make a random value, or a new key
    #[arg(long)]
    generate: bool,
    /// For a DKIM key that is made
    #[arg(long, value_name = "NAME")]
    algorithm: Option<Algorithm>,
}

/// Gives a secret a new random value; begins the change of a DKIM key
///
/// A DKIM key changes in steps, each a commit of its own, so that no signature is lost: `rotate` publishes the next key
/// beside the one that signs; `advance` lets it sign, once the world sees it; `advance` again removes the old one, once
/// no mail signed with it is on its way. A value that somebody else gives you is set with `postkiln secret set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret rotate mysite relay
  postkiln secret rotate mysite dkim.example.org --algorithm ed25519

Exit codes: 0 done, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    place: Place,
    /// The secret's name
    name: String,
    /// For a DKIM key: what the next one is
    #[arg(long, value_name = "NAME")]
    algorithm: Option<Algorithm>,
}

/// Takes the next step of changing a DKIM key
///
/// The steps are those of `postkiln secret rotate`: after the first, the next key signs; after the second, the old
/// one is gone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret advance mysite dkim.example.org

Exit codes: 0 done, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct AdvanceArgs {
    #[command(flatten)]
    place: Place,
    /// The secret's name
    name: String,
    /// Remove a retired key although mail signed with it may still be on its way
    #[arg(long)]
    early: bool,
}

/// Removes a secret
///
/// From secrets.age and secrets.lock. One that the site names stays, unless you insist.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln secret remove mysite relay

Exit codes: 0 removed, 1 something is wrong with the secrets, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    place: Place,
    /// The secret's name
    name: String,
    /// Even if the site uses it
    #[arg(long)]
    force: bool,
}

pub(super) fn set(args: &SetArgs) -> Result<Exit, Failure> {
    let folder = args.place.alone()?;
    let mut vault = folder.open_whole(&args.place.identity()?).map_err(failure)?;
    let site = site(&args.place);
    let present = vault.get(&args.name).ok().map(|kept| Kind::of(&kept.value));
    if present == Some(Kind::Dkim) {
        let hint = format!("change its key with `postkiln secret rotate SITE {}`", args.name);
        return Err(Failure::Wrong(format!("the DKIM secret {:?} exists; {hint}", args.name)));
    }
    let known = args.kind.or(present);
    if known.is_none() && site.is_none() {
        output::note(
            "the site has errors (`postkiln check`), so what the secret is for is not known: it is taken for a password, \
             unless --kind says otherwise",
        );
    }
    let kind = known.or_else(|| Kind::wanted(site.as_ref(), &args.name)).unwrap_or(Kind::Password);
    let asked = args.algorithm.map(DkimAlgorithm::from).or_else(|| algorithm(site.as_ref(), &args.name));
    let source = Source {
        generate: args.generate,
        file: args.from_file.as_deref(),
        algorithm: asked.unwrap_or(DkimAlgorithm::Rsa),
    };
    let value = kind.value(&args.name, &source)?;
    vault.set(&args.name, value, &mut OsRng).map_err(failure)?;
    folder.write(&mut vault).map_err(failure)?;
    tell(&vault, &args.name)
}

pub(super) fn rotate(args: &RotateArgs) -> Result<Exit, Failure> {
    let folder = args.place.alone()?;
    let mut vault = folder.open_whole(&args.place.identity()?).map_err(failure)?;
    let kept = vault.get(&args.name).map_err(failure)?;
    let kind = Kind::of(&kept.value);
    let now = if let Value::Dkim(pairs) = &kept.value { pairs.last().map(|pair| pair.key.algorithm) } else { None };
    let asked = args.algorithm.map(DkimAlgorithm::from);
    let wanted = asked.or_else(|| algorithm(site(&args.place).as_ref(), &args.name)).or(now);
    let algorithm = wanted.unwrap_or(DkimAlgorithm::Rsa);
    if kind == Kind::Dkim {
        let step = vault.publish_next(&args.name, algorithm, &mut OsRng).map_err(failure)?;
        folder.write(&mut vault).map_err(failure)?;
        explain(&step, &args.name, LIFETIME);
    } else {
        let value = kind.value(&args.name, &Source { generate: true, file: None, algorithm })?;
        vault.set(&args.name, value, &mut OsRng).map_err(failure)?;
        folder.write(&mut vault).map_err(failure)?;
    }
    tell(&vault, &args.name)
}

pub(super) fn advance(args: &AdvanceArgs) -> Result<Exit, Failure> {
    let folder = args.place.alone()?;
    let mut vault = folder.open_whole(&args.place.identity()?).map_err(failure)?;
    let lifetime = site(&args.place).as_ref().map_or(LIFETIME, queue_lifetime);
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let may_go = |since: &str| args.early || is_over(since, lifetime, today);
    let step = vault.advance(&args.name, &today.to_string(), may_go, &mut OsRng);
    let step = step.map_err(|error| {
        let retired = matches!(&vault.get(&args.name), Ok(kept) if has_retired(&kept.value));
        let hint = format!("; it may go {} after that day, or at once with --early", days(lifetime));
        Failure::Wrong(format!("{error}{}", if retired { hint.as_str() } else { "" }))
    })?;
    folder.write(&mut vault).map_err(failure)?;
    explain(&step, &args.name, lifetime);
    tell(&vault, &args.name)
}

pub(super) fn remove(args: &RemoveArgs) -> Result<Exit, Failure> {
    if let Some(site) = site(&args.place).filter(|_| !args.force)
        && let Some(used) = site.secret_uses().iter().find(|used| used.name == args.name)
    {
        let place = format!("{}:{}:{}", used.place.file, used.place.line, used.place.column);
        return Err(Failure::Wrong(format!(
            "{} is this secret ({place}); change that first, or say --force",
            used.what
        )));
    }
    let folder = args.place.alone()?;
    let mut vault = folder.open_whole(&args.place.identity()?).map_err(failure)?;
    vault.remove(&args.name).map_err(failure)?;
    folder.write(&mut vault).map_err(failure)?;
    output::result(&format!("{} removed", args.name));
    Ok(Exit::Success)
}

/// The site, if it can be read: it knows what a secret is for. Secrets can also be set while the site has errors.
fn site(place: &Place) -> Option<Site> {
    postkiln_site::read(&place.site).ok().map(|(site, _)| site)
}

/// Prints `NAME KIND VERSION`, and nothing of the value.
fn tell(vault: &Vault, name: &str) -> Result<Exit, Failure> {
    let kept = vault.get(name).map_err(failure)?;
    output::result(&format!("{name} {} {}", kept.value.word(), kept.version));
    output::note("commit secrets.age and secrets.lock together");
    Ok(Exit::Success)
}

/// Explains what to do before the next step.
fn explain(step: &Step, name: &str, lifetime: u64) {
    let text = match step {
        Step::Published(number) => format!(
            "key {number} is in the zones of the next `postkiln compile`: publish them, wait until its record is seen everywhere \
             (the zone's ttl), then `postkiln secret advance SITE {name}`"
        ),
        Step::Signs(number, old) => format!(
            "key {number} signs from the next bundle on; leave the record of key {old} in place for {} (what the queue may \
             still hold), then `postkiln secret advance SITE {name}` removes it",
            days(lifetime)
        ),
        Step::Removed(_) => {
            "the retired record is not in the zones of the next `postkiln compile`: publish them".to_owned()
        }
    };
    output::note(&text);
}

/// The longest time that mail of this site may stay in the queue, in seconds.
fn queue_lifetime(site: &Site) -> u64 {
    let lowered = postkiln_blueprint::lower(site).ok();
    lowered.and_then(|(blueprint, _)| blueprint.control_file()).map_or(LIFETIME, |Queuelifetime(seconds)| seconds)
}

/// Whether a key that retired on a day is no longer needed. On that day it may have signed until midnight.
fn is_over(since: &str, lifetime: u64, today: Date) -> bool {
    let Ok(since) = since.parse::<Date>() else { return false };
    let waited = today.since(since).map(|span| i64::from(span.get_days())).unwrap_or(0);
    u64::try_from(waited).is_ok_and(|waited| waited > lifetime.div_ceil(DAY))
}

fn has_retired(value: &Value) -> bool {
    let Value::Dkim(pairs) = value else { return false };
    pairs.iter().any(|pair| pair.key.state.word() == "retiring")
}

fn days(seconds: u64) -> String {
    let days = seconds.div_ceil(DAY);
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}

const DAY: u64 = 86_400;
/// The default of qmail, in seconds: a week.
const LIFETIME: u64 = 604_800;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(since: &str, lifetime: u64, today: &str, expected: bool) {
        assert_eq!(is_over(since, lifetime, today.parse().unwrap()), expected, "{since} {lifetime} {today}");
    }

    #[test]
    fn a_retired_key_stays_as_long_as_the_queue_holds_mail() {
        check("2026-11-22", LIFETIME, "2026-11-22", false);
        check("2026-11-22", LIFETIME, "2026-11-29", false);
        check("2026-11-22", LIFETIME, "2026-11-30", true);
        check("2026-11-22", 3600, "2026-11-23", false);
        check("2026-11-22", 3600, "2026-11-24", true);
        check("2026-12-30", LIFETIME, "2027-01-06", false);
        check("2026-12-30", LIFETIME, "2027-01-07", true);
        check("2026-11-22", LIFETIME, "2026-11-01", false);
    }
}
