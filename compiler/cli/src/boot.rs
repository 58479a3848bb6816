//! `postkiln boot`: an image in QEMU, with its ports forwarded and its console shown. The machine and the way it is
//! switched off are in `boot/qemu.rs`, the watch over its console in `boot/watch.rs`.

mod qemu;
mod scratch;
mod watch;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use postkiln_bundle::Bundle;
use tokio::signal::unix::{SignalKind, signal};

use crate::build::{self, Parts};
use crate::outcome::{Exit, Failure};
use crate::{output, serials};
use qemu::{Firmware, Machine, Setup};
use scratch::Scratch;
use watch::Watch;

/// Boots a site's image in QEMU
///
/// The appliance's ports are forwarded to 127.0.0.1: SMTP at 10025, submission at 10587 and 10465, IMAP at 10143 and
/// 10993, POP3 at 10110 and 10995. The console goes to stderr; `ready` is printed when every service answers. Control-C
/// presses the power button and waits until the machine has switched itself off. The image is not changed: what the
/// machine writes to its system disk is forgotten in the end. Give --disk to keep mail, or --keep to write into the
/// image. Needs QEMU: apt-get install qemu-system-x86 ovmf
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln boot mysite
  postkiln boot mail.img --disk data.img --firmware bios
  postkiln boot mail.img --base-port 0           free ports, written as JSON

Exit codes: 0 switched off as told, 1 the site has errors, 4 the environment failed, 64 wrong usage.")]
pub(crate) struct Args {
    /// The site (its folder or its site.ncl), or an image made by `build`
    #[arg(value_name = "SITE|FILE")]
    target: PathBuf,
    /// A second disk, for the data; a file is made when there is none. Or anything QEMU takes as a disk: nbd:unix:PATH
    #[arg(long, value_name = "FILE|URI")]
    disk: Option<String>,
    /// The firmware that starts the machine
    #[arg(long, value_name = "KIND", default_value = "uefi")]
    firmware: Firmware,
    /// How much memory [default: 1G; 3G for a site with ClamAV, whose signatures want it]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<String>,
    /// Added to each standard port; 0 takes free ports
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    base_port: u16,
    /// Where the console goes instead of stderr
    #[arg(long, value_name = "FILE")]
    console: Option<PathBuf>,
    /// Write into the image
    #[arg(long)]
    keep: bool,
    /// Print the ports as JSON when ready
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    parts: Parts,
}

/// Runs the command `boot`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    qemu::find(args.firmware)?;
    let scratch = Scratch::new().map_err(|error| Failure::environment("cannot make a temporary folder", error))?;
    let (image, bundle) = target(&args, scratch.path())?;
    let ports = ports(&bundle, args.base_port)?;
    let setup = Setup {
        image,
        keep: args.keep,
        disk: args.disk.as_deref().map(qemu::disk).transpose()?,
        firmware: args.firmware,
        memory: args.memory.clone().unwrap_or_else(|| memory(&bundle).to_owned()),
        forwards: ports.values().map(|forward| (forward.host, forward.guest)).collect(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::environment("cannot begin", error))?;
    let end = runtime.block_on(attend(&args, &setup, scratch.path(), &ports));
    drop(scratch);
    end
}

/// The image to boot, built first when a site was named, and the bundle in it.
fn target(args: &Args, scratch: &Path) -> Result<(PathBuf, Bundle), Failure> {
    let is_site = args.target.is_dir() || args.target.extension().is_some_and(|kind| kind == "ncl");
    if is_site {
        let bundle = build::bundle_of(&args.target, &serials::Options::default())?;
        let image = scratch.join("system.img");
        build::image(&bundle, &args.parts, &image)?;
        // The image goes when the machine does, so it may be as large as mail and signatures need: the file is sparse.
        let file = std::fs::OpenOptions::new().write(true).open(&image).and_then(|file| file.set_len(qemu::NEW_DISK));
        file.map_err(|error| Failure::environment("cannot lengthen the image", error))?;
        return Ok((image, bundle));
    }
    let bundle = postkiln_images::bundle(&args.target)
        .map_err(|error| Failure::environment(format!("cannot boot {}", args.target.display()), error))?;
    Ok((args.target.clone(), bundle))
}

/// A size as QEMU takes it: a number with M or G.
fn size(text: &str) -> Result<String, String> {
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).unwrap_or_default();
    let is_size = matches!(unit, "M" | "G") && number.parse::<u32>().is_ok_and(|number| number > 0);
    is_size.then(|| text.to_owned()).ok_or_else(|| "write a number with M or G, as 2G".to_owned())
}

/// The machine's memory. QEMU takes from its host only the memory that the machine has touched.
fn memory(bundle: &Bundle) -> &'static str {
    let scans = bundle.manifest().services.iter().any(|service| service.role == postkiln_bundle::Role::Clamd);
    if scans { "3G" } else { "1G" }
}

/// A forwarded port: the name of its listener, and its number here and there.
#[derive(Clone, Copy, Debug)]
struct Forward {
    host: u16,
    guest: u16,
}

fn ports(bundle: &Bundle, base: u16) -> Result<BTreeMap<String, Forward>, Failure> {
    // Ports are held until all are chosen, so that none is chosen twice.
    let mut held = Vec::new();
    let mut ports = BTreeMap::new();
    for listener in bundle.manifest().services.iter().flat_map(|service| &service.listeners) {
        let wanted = if base == 0 { Some(0) } else { base.checked_add(listener.port) };
        let wanted = wanted.ok_or_else(|| Failure::Usage(format!("--base-port {base} is too high")))?;
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted));
        let socket = socket.map_err(|error| Failure::environment(format!("cannot use port {wanted}"), error))?;
        let address = socket.local_addr().map_err(|error| Failure::environment("cannot find a free port", error))?;
        ports.insert(listener.name.clone(), Forward { host: address.port(), guest: listener.port });
        held.push(socket);
    }
    Ok(ports)
}

/// Runs the machine until it ends or a signal comes.
async fn attend(
    args: &Args,
    setup: &Setup,
    scratch: &Path,
    ports: &BTreeMap<String, Forward>,
) -> Result<Exit, Failure> {
    let failed = |error| Failure::environment("cannot attend to the machine", error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let (mut machine, mut console) = Machine::start(setup, scratch)?;
    let mut watch = Watch::new(args.console.as_deref(), ports.get("smtp").map(|forward| forward.host))?;
    let mut ready = false;
    loop {
        tokio::select! {
            bytes = console.next() => watch.show(&bytes),
            () = watch.ready(), if !ready => {
                ready = true;
                announce(args, ports, &watch, &machine);
            }
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            status = machine.ended() => return end(status.map_err(failed)?, &machine),
        }
    }
    output::note("pressing the power button");
    let end = tokio::select! {
        end = machine.switch_off(&mut console, &mut watch) => Some(end),
        _ = interrupt.recv() => None,
    };
    match end {
        Some(end) => end,
        None => Err(machine.kill("told to stop twice").await),
    }
}

fn announce(args: &Args, ports: &BTreeMap<String, Forward>, watch: &Watch, machine: &Machine) {
    let seconds = watch.seconds();
    if args.json || args.base_port == 0 {
        let ports: BTreeMap<&str, u16> = ports.iter().map(|(name, forward)| (name.as_str(), forward.host)).collect();
        let line = serde_json::json!({
            "ready": true, "ports": ports, "pid": machine.pid(),
            "seconds": { "first_220": watch.first_220(), "ready": seconds },
        });
        return output::result(&line.to_string());
    }
    output::result("ready");
    let mut ports: Vec<_> = ports.iter().collect();
    ports.sort_by_key(|(_, forward)| forward.guest);
    for (name, forward) in ports {
        output::result(&format!("{name:12} 127.0.0.1:{}", forward.host));
    }
    if let Some(first) = watch.first_220() {
        output::note(&format!("first 220 after {first:.1} s, ready after {seconds:.1} s, counted from power on"));
    }
}

fn end(status: std::process::ExitStatus, machine: &Machine) -> Result<Exit, Failure> {
    if status.success() {
        Ok(Exit::Success)
    } else {
        Err(Failure::unavailable(format!("QEMU ended with {status}{}", machine.complaint())))
    }
}
