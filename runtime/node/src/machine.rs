//! The machine under the services, when `init` is PID 1: mounts, modules, the data disk, the image's bundle, the power
//! button, the console, the way down. Knows nothing about mail. `postkiln run` uses none of it. Start at [`bring_up`].

mod bundles;
mod console;
mod data;
mod disk;
mod power;
mod slots;
mod system;

use std::fs::File;
use std::path::{Path, PathBuf};

use postkiln_log::Event;
use postkiln_operation::status::Status;
use postkiln_sys::mount;

use crate::error::{During, NodeError};

pub(crate) use power::is_pressed;

/// Where the data file system is mounted.
const DATA: &str = "/data";

/// Where groups of processes are (cgroup v2).
pub(crate) const GROUPS: &str = "/sys/fs/cgroup";

/// How the machine ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Switched off; for an ordinary process: it exits.
    Off,
    /// The machine starts again.
    Again,
}

/// The state of the machine when PID 1 has brought it up.
pub(crate) struct Brought {
    /// The data directory, mounted.
    pub(crate) data: PathBuf,
    /// The directory of the active bundle.
    pub(crate) bundle: PathBuf,
    /// Input devices with a power button, non-blocking: readable when something was pressed.
    pub(crate) buttons: Vec<File>,
}

/// Mounts, finds the data disk, installs the image's bundle. When it cannot, the machine stops here with the reason on
/// its console until somebody presses the power button: starting again would change nothing.
pub(crate) fn bring_up() -> Result<Brought, NodeError> {
    let brought = try_to_bring_up();
    if let Err(problem) = &brought {
        console::stopped(&problem.told());
        let mut buttons = power::buttons();
        power::wait(&mut buttons);
        go_down(Ending::Off)?;
    }
    brought
}

fn try_to_bring_up() -> Result<Brought, NodeError> {
    system::mounts()?;
    system::modules();
    system::settings();
    let slot = slots::current()?;
    let boot_disk = postkiln_sys::block::root_disk().during(|| "the disk of the root".to_owned())?;
    let data = Path::new(DATA);
    data::mount(&boot_disk, data)?;
    let bundle = bundles::choose(&boot_disk, slot, data)?;
    let hostname = bundles::hostname(&bundle)?;
    rustix::system::sethostname(hostname.as_bytes()).during(|| format!("the host name {hostname}"))?;
    postkiln_sys::network::loopback_up().during(|| "the loopback interface".to_owned())?;
    Ok(Brought { data: data.to_owned(), bundle, buttons: power::buttons() })
}

/// Shows a changed state on the console; the first time that everything answers, tells the loader that this slot works.
pub(crate) fn show(status: &Status) {
    if console::show(status)
        && let Err(problem) = slots::works()
    {
        // The machine works; only the way back to this slot gets shorter with each start.
        postkiln_log::error(Event::SlotNotMarked, &[("problem", &problem.told())]);
    }
}

/// Ends all processes, writes everything out, unmounts the data, and ends the machine.
pub(crate) fn go_down(ending: Ending) -> Result<(), NodeError> {
    system::end_everybody();
    rustix::fs::sync();
    let data = Path::new(DATA);
    if mount::unmount(data).is_err() {
        // Somebody still has a file open: what is written is safe all the same.
        let _ = mount::remount_read_only(data);
    }
    rustix::fs::sync();
    console::line(if ending == Ending::Off { "Postkiln: switched off" } else { "Postkiln: starting again" });
    let command = match ending {
        Ending::Off => rustix::system::RebootCommand::PowerOff,
        Ending::Again => rustix::system::RebootCommand::Restart,
    };
    rustix::system::reboot(command).during(|| "the kernel does not end".to_owned())
}
