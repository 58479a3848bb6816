//! `postkiln new`: writes a first site.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Version};
use postkiln_address::{Address, Domain};
use serde::Serialize;

use crate::bundle::{self, Checked};
use crate::outcome::{Exit, Failure};
use crate::random::random;
use crate::{findings, output};

/// Writes a site to begin with
///
/// The site has one domain and one user, and passes `postkiln check`. The user's password is made here and printed
/// once; the file holds only its hash.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln new mysite --domain example.org
  postkiln new mysite --domain example.org --user ada --hostname mx.example.org

Exit codes: 0 written, 4 the environment failed (the folder has content), 64 wrong usage.")]
pub(crate) struct Args {
    /// The folder to make; must not exist, or be empty
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The mail domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Domain,
    /// The first user; reads postmaster's mail
    #[arg(long, value_name = "NAME", default_value = "postmaster")]
    user: String,
    /// The machine's name; mail.DOMAIN when not given
    #[arg(long, value_name = "NAME")]
    hostname: Option<Domain>,
    /// Print user and password as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command `new`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let user: Address = format!("{}@{}", args.user, args.domain)
        .to_ascii_lowercase()
        .parse()
        .map_err(|error| Failure::Usage(format!("--user: {error}")))?;
    let hostname = match args.hostname {
        Some(hostname) => hostname,
        None => format!("mail.{}", args.domain)
            .parse()
            .map_err(|error| Failure::Usage(format!("--domain: {error}; give a --hostname")))?,
    };
    let cannot_random = |error| Failure::environment("cannot get random numbers", error);
    let password = one_time_password().map_err(cannot_random)?;
    let hash = hash(&password).map_err(cannot_random)?;
    let file = write(&args.folder, &site(&hostname, &user, &hash))?;
    let Checked { found, .. } = bundle::check(&args.folder, None)?;
    findings::show(&args.folder, &found);
    findings::judge(&found, None)?;
    if args.json {
        output::json(&Made { site: &file, user: &user, password: &password });
    } else {
        output::result(&format!("user: {user}"));
        output::result(&format!("password: {password}"));
        output::note(&format!("The password is not kept anywhere else. The site is {}.", file.display()));
    }
    Ok(Exit::Success)
}

#[derive(Serialize)]
struct Made<'a> {
    site: &'a Path,
    user: &'a Address,
    password: &'a str,
}

/// Twenty letters and digits that cannot be mistaken for one another: 100 bits.
fn one_time_password() -> std::io::Result<String> {
    let mut text = String::new();
    for (index, byte) in random::<20>()?.iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            text.push('-');
        }
        // 256 is a multiple of 32, so each letter is equally likely.
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Ok(text)
}

/// The hash as the site has it, at the least cost that OWASP advises for argon2id: 19 MiB, two passes.
fn hash(password: &str) -> std::io::Result<String> {
    let failed = |error: argon2::password_hash::Error| std::io::Error::other(error.to_string());
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(failed)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, argon2::Params::default());
    Ok(argon2.hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Writes `site.ncl`, readable by its owner alone because it holds a hash.
fn write(folder: &Path, text: &str) -> Result<PathBuf, Failure> {
    let cannot = |path: &Path| {
        let what = format!("cannot write {}", path.display());
        move |source: std::io::Error| Failure::environment(what, source)
    };
    fs::create_dir_all(folder).map_err(cannot(folder))?;
    if fs::read_dir(folder).map_err(cannot(folder))?.next().is_some() {
        return Err(Failure::unavailable(format!("{} exists and is not empty", folder.display())));
    }
    let path = folder.join("site.ncl");
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(cannot(&path))?;
    file.write_all(text.as_bytes()).map_err(cannot(&path))?;
    Ok(path)
}

/// The text of a site. Everything in it is a parsed value, except the hash, which has no character to quote.
fn site(hostname: &Domain, user: &Address, hash: &str) -> String {
    let (local, domain) = (user.local(), user.domain());
    format!(
        "\
# The mail service of {domain}. `postkiln check` says what is wrong with it, `postkiln run` tries it on this machine.
let pk = import \"postkiln/site.ncl\" in
{{
  appliance.hostname = \"{hostname}\",

  domains = {{
    \"{domain}\" = {{
      # Who reads what is written to the postmaster.
      postmaster = \"{local}\",

      users = {{
        # A first password: people change theirs, and this file stays as it is.
        \"{local}\" = {{ password.hash = \"{hash}\" }},
        # ada = {{ name = \"Ada Lovelace\", quota = \"5 GiB\", password.hash = \"…\", aliases = [\"countess\"] }},
      }},

      # Further addresses, each with its targets here or elsewhere.
      aliases = {{
        # sales = [\"ada\", \"someone@example.net\"],
      }},
    }},
  }},

  # The address others reach the machine at, for the zone files that `postkiln compile` writes.
  # dns.address = \"192.0.2.25\",

  # Scanning for viruses by ClamAV.
  # antivirus.engine = 'clamav,

  # What must be true of every version of this file.
  expect = [
    {{ from = \"anyone@elsewhere.example\", to = \"{user}\", result = 'delivered_to \"{user}\" }},
    {{ from = \"anyone@elsewhere.example\", to = \"someone@third.example\", result = 'refused }},
  ],
}} | pk.Site
"
    )
}

const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_random_and_readable() {
        let (one, other) = (one_time_password().unwrap(), one_time_password().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 23);
        assert!(one.bytes().all(|byte| byte == b'-' || LETTERS.contains(&byte)), "{one}");
    }

    #[test]
    fn a_new_site_is_a_site() {
        let folder = tempfile::tempdir().unwrap();
        let user = "o'brien@example.org".parse().unwrap();
        let text = site(&"mail.example.org".parse().unwrap(), &user, &hash("x").unwrap());
        write(&folder.path().join("new"), &text).unwrap();
        let (read, warnings) = postkiln_site::read_unconfined(&folder.path().join("new")).unwrap();
        assert_eq!((read.expect.len(), warnings.len()), (2, 0));
        assert!(write(&folder.path().join("new"), &text).is_err(), "nothing is overwritten");
    }
}
