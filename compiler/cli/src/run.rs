//! `postkiln run`: the site's services as ordinary processes. Compiles, puts the bundle into the data directory, starts
//! `postkiln-node supervise`, hands it the site's secrets, and stays with it.

mod secrets;

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use postkiln_bundle::Bundle;
use postkiln_findings::codes;
use postkiln_operation::ready::Ready;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::bundle::{Compiled, compile};
use crate::operate::default_data;
use crate::outcome::{Exit, Failure};
use crate::serials::Numbering;
use crate::{findings, output};

/// Runs a site's services on this machine, without root, on high ports
///
/// The same processes as on the appliance, below one data directory, on 127.0.0.1: SMTP at 10025, submission at 10587
/// and 10465, IMAP at 10143 and 10993, POP3 at 10110 and 10995. Prints `ready` when every service answers, and stops
/// everything on Control-C. The data directory stays.
///
/// Opens the site's secrets with your identity and hands them to the node, which keeps them sealed below
/// the data directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln run mysite
  postkiln run mysite --data /tmp/mail
  postkiln run mysite --base-port 0         free ports, written as JSON

Exit codes: 0 stopped as told, 1 the site has errors, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// Where mail, queue, users and keys are kept [default: below ~/.local/state/postkiln]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Added to each standard port; 0 takes free ports
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    base_port: u16,
    /// The program postkiln-node [default: beside this program]
    #[arg(long, value_name = "FILE")]
    node: Option<PathBuf>,
    /// The file of private keys that opens the secrets [default: $POSTKILN_IDENTITY, else ~/.config/postkiln/identity]
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Print the ports as JSON when ready
    #[arg(long)]
    json: bool,
}

/// Runs the command `run`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let (compiled, mut found) = compile(&args.site, &Numbering::default(), postkiln_render::render)?;
    // The appliance is not given secrets yet; this node is, and what it lacks is said below.
    found.retain(|finding| finding.code != codes::UNDELIVERED);
    findings::show(&args.site, &found);
    findings::judge(&found, None)?;
    let (Compiled { site, .. }, bundle) = compiled.ok_or(Failure::Findings)?;
    let opened = secrets::open(&findings::folder(&args.site), &site, args.identity.as_deref())?;
    drop(site);
    let data = match args.data {
        Some(data) => data,
        None => default_data(&bundle.manifest().hostname)?,
    };
    let say = |what: &str| format!("cannot {what} {}", data.display());
    fs::create_dir_all(&data).map_err(|error| Failure::environment(say("make"), error))?;
    let data = data.canonicalize().map_err(|error| Failure::environment(say("find"), error))?;
    let place = put(&bundle, &data).map_err(|error| Failure::environment(say("write the bundle below"), error))?;
    let node = node(args.node)?;
    output::note(&format!("data in {}", data.display()));
    let json = args.json || args.base_port == 0;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::environment("cannot begin", error))?;
    runtime.block_on(async {
        let mut command = Command::new(&node);
        command.arg("supervise").arg("--bundle").arg(&place).arg("--data").arg(&data);
        command.arg("--base-port").arg(args.base_port.to_string()).arg("--leash").arg("stdin");
        // The node has a process group of its own: Control-C reaches it through us. It stops when its standard input
        // ends, so that it does not outlive us, however we end.
        let (leash, theirs) =
            UnixStream::pair().map_err(|error| Failure::environment("cannot make a pair of sockets", error))?;
        if let Some(opened) = opened {
            opened.send(&leash).map_err(|error| Failure::environment("cannot hand over the secrets", error))?;
            command.arg("--secrets").arg("stdin");
        }
        command.process_group(0).stdin(OwnedFd::from(theirs)).stdout(Stdio::piped());
        let child = command.spawn().map_err(|error| Failure::environment(cannot_start(&node), error))?;
        // The node has its end now; ours alone keeps it running.
        drop(command);
        let ended = attend(child, json).await;
        drop(leash);
        ended
    })
}

fn cannot_start(node: &Path) -> String {
    format!("cannot start {}", node.display())
}

/// Stays with the node: passes signals on, reports when it is ready, waits for its end.
async fn attend(mut child: Child, json: bool) -> Result<Exit, Failure> {
    let failed = |error| Failure::environment("cannot attend to the node", error);
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let Some(stdout) = child.stdout.take() else { return Err(Failure::unavailable("the node has no output")) };
    let mut lines = BufReader::new(stdout).lines();
    let mut open = true;
    loop {
        tokio::select! {
            line = lines.next_line(), if open => match line {
                Ok(Some(line)) => show(&line, json),
                _ => open = false,
            },
            _ = hangup.recv() => pass_on(&child, Signal::HUP),
            _ = interrupt.recv() => pass_on(&child, Signal::TERM),
            _ = terminate.recv() => pass_on(&child, Signal::TERM),
            status = child.wait() => return ended(status.map_err(failed)?),
        }
    }
}

fn pass_on(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // Sending fails when the node has just ended, which the caller notices.
        let _ = kill_process(pid, signal);
    }
}

fn ended(status: ExitStatus) -> Result<Exit, Failure> {
    if status.success() {
        Ok(Exit::Success)
    } else {
        Err(Failure::unavailable(format!("the node ended with {status}")))
    }
}

fn show(line: &str, json: bool) {
    match Ready::parse(line) {
        Some(ready) if !json => {
            output::result("ready");
            let mut ports: Vec<_> = ready.ports.into_iter().collect();
            ports.sort_by_key(|(_, port)| *port);
            for (name, port) in ports {
                output::result(&format!("{name:12} 127.0.0.1:{port}"));
            }
        }
        _ => output::result(line),
    }
}

/// Puts the bundle below `bundles/` under its identity, complete or not at all.
fn put(bundle: &Bundle, data: &Path) -> Result<PathBuf, postkiln_bundle::BundleError> {
    let bundles = data.join("bundles");
    let place = bundles.join(&bundle.manifest().identity);
    if Bundle::read(&place).is_ok_and(|present| present == *bundle) {
        return Ok(place);
    }
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| postkiln_bundle::BundleError::Io { path, source }
    };
    let beside = bundles.join(format!("{}.new", bundle.manifest().identity));
    for old in [&beside, &place] {
        match fs::remove_dir_all(old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(old)(error)),
            _ => {}
        }
    }
    fs::create_dir_all(&bundles).map_err(io(&bundles))?;
    bundle.write(&beside)?;
    fs::rename(&beside, &place).map_err(io(&place))?;
    Ok(place)
}

/// The program to start.
fn node(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(node) = given {
        return Ok(node);
    }
    let own = std::env::current_exe().map_err(|error| Failure::environment("cannot find this program", error))?;
    let beside = own.with_file_name("postkiln-node");
    if beside.exists() {
        return Ok(beside);
    }
    Err(Failure::unavailable(format!("there is no {}: give --node", beside.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use postkiln_bundle::{File, Owner};

    #[test]
    fn a_bundle_is_put_once_and_a_damaged_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::new("control/me", b"mail\n".to_vec(), Owner::Everyone);
        let bundle = Bundle::new(1, "mail.example.org", vec![file], Vec::new());
        let place = put(&bundle, folder.path()).unwrap();
        assert_eq!(put(&bundle, folder.path()).unwrap(), place);
        fs::write(place.join("control/me"), "x").unwrap();
        put(&bundle, folder.path()).unwrap();
        assert_eq!(Bundle::read(&place).unwrap(), bundle);
        assert_eq!(fs::read_dir(folder.path().join("bundles")).unwrap().count(), 1);
    }
}
