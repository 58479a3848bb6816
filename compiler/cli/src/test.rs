//! `postkiln test`: acceptance by real mail, with clients whose code is not our servers': mail-send, imap-proto. The
//! steps are in [`steps`]; each protocol's client has its file. Knows nothing about how the node works.

mod imap;
mod pop3;
mod report;
mod smtp;
mod steps;
mod tls;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::outcome::{Exit, Failure};
use crate::{findings, output};
use report::Report;

/// Proves by real mail that a running site works
///
/// Sends a message as a person of the site and another as a stranger, finds both over IMAP and POP3, and removes them.
/// A stranger's mail for others must be refused, and so must a virus when the site scans; each `expect` of the site
/// about an address is asked of the running SMTP server. Certificates are not checked: the test is about mail, and a
/// node may have made its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln test mysite --as ada@example.org --password-file pw
  postkiln test mysite --at 192.0.2.10 --as ada@example.org --password-file pw
  postkiln test mysite --base-port 20000 --json

Without --as only what needs no mailbox is tested.
Exit codes: 0 all passed, 1 something failed or the site has errors, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// Where it runs; by default on this machine, as `run` and `boot` start it
    #[arg(long, value_name = "HOST")]
    at: Option<String>,
    /// Added to each standard port; by default 10000, or 0 with --at
    #[arg(long, value_name = "N")]
    base_port: Option<u16>,
    /// The ports instead: a file with the JSON line that `run --base-port 0` or `boot --base-port 0` printed
    #[arg(long, value_name = "FILE", conflicts_with = "base_port")]
    ports: Option<PathBuf>,
    /// A person of the site, as user@domain
    #[arg(long = "as", value_name = "USER", requires = "password_file")]
    user: Option<String>,
    /// A file whose first line is the person's password
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// How long a message may take until it is in the mailbox
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Print the results as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// The node to speak to, and the person to speak as.
#[derive(Debug)]
pub(crate) struct Target {
    /// The node's address.
    address: IpAddr,
    /// The ports by the listeners' names.
    ports: std::collections::BTreeMap<String, u16>,
    /// The host name that the node's certificate should have; sent as server name.
    hostname: String,
    /// The person's name and password, if they are known.
    login: Option<Login>,
    /// The longest time that a message may take.
    wait: Duration,
}

/// A person's name and password.
#[derive(Clone)]
pub(crate) struct Login {
    user: String,
    password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.user)
    }
}

impl Target {
    /// The address and port of the listener of this name.
    fn socket(&self, listener: &str) -> Result<std::net::SocketAddr, String> {
        let port = self.ports.get(listener).ok_or_else(|| format!("the node has no listener {listener}"))?;
        Ok((self.address, *port).into())
    }
}

/// Runs the command `test`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let (site, found) = match postkiln_site::read(&args.site) {
        Ok(read) => read,
        Err(found) => {
            findings::show(&args.site, &found.findings);
            return Err(Failure::Findings);
        }
    };
    findings::judge(&found, None)?;
    let target = target(&args, site.appliance.hostname.value.as_str())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::environment("cannot begin", source))?;
    let mut report = Report::new(args.json);
    runtime.block_on(steps::all(&site, &target, &mut report));
    if args.json {
        output::json(&report.document());
    } else {
        output::result(&report.summary());
    }
    Ok(if report.has_failed() { Exit::Invalid } else { Exit::Success })
}

fn target(args: &Args, hostname: &str) -> Result<Target, Failure> {
    let address = address(args.at.as_deref().unwrap_or("127.0.0.1"))?;
    let base = args.base_port.unwrap_or(if args.at.is_some() { 0 } else { 10_000 });
    let ports = match &args.ports {
        Some(file) => ports_in(file)?,
        None => PORTS.iter().map(|(name, port)| ((*name).to_owned(), port.saturating_add(base))).collect(),
    };
    let login = match (&args.user, &args.password_file) {
        (Some(user), Some(file)) => Some(Login { user: user.clone(), password: first_line(file)? }),
        _ => None,
    };
    Ok(Target { address, ports, hostname: hostname.to_owned(), login, wait: Duration::from_secs(args.wait) })
}

/// An address, or a name looked up by getent(1): a static program that resolves names itself would load the host's NSS
/// libraries, of whatever version.
fn address(host: &str) -> Result<IpAddr, Failure> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let output = Command::new("getent")
        .args(["ahosts", host])
        .output()
        .map_err(|source| Failure::environment("cannot run getent", source))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let first = text.split_whitespace().next().and_then(|word| word.parse().ok());
    first.ok_or_else(|| Failure::unavailable(format!("no address is known for {host}")))
}

fn ports_in(file: &Path) -> Result<std::collections::BTreeMap<String, u16>, Failure> {
    let what = || format!("cannot use {}", file.display());
    let text = std::fs::read_to_string(file).map_err(|source| Failure::environment(what(), source))?;
    let json = text.lines().find(|line| line.contains("\"ports\"")).unwrap_or(&text);
    let value: serde_json::Value = serde_json::from_str(json).map_err(|source| Failure::environment(what(), source))?;
    let ports = value.get("ports").cloned().unwrap_or_default();
    serde_json::from_value(ports).map_err(|source| Failure::environment(what(), source))
}

fn first_line(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| Failure::environment(format!("cannot read {}", file.display()), source))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The standard ports (RFC 8314, RFC 6409, RFC 3501, RFC 1939).
const PORTS: [(&str, u16); 7] = [
    ("smtp", 25),
    ("submission", 587),
    ("submissions", 465),
    ("imap", 143),
    ("imaps", 993),
    ("pop3", 110),
    ("pop3s", 995),
];
