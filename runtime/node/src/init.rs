//! `init`: starts the roles, keeps their sockets open while one of them is down, starts what died again, hands out new
//! bundles, and stops everything in the end. Synchronous, and parses nothing from strangers. Two ways in: [`boot`] as
//! PID 1 of the machine, [`supervise`] as an ordinary process for `postkiln run`. Start there, then `supervisor.rs`.

mod apply;
mod changing;
mod errands;
mod layout;
mod provisions;
mod readiness;
mod sockets;
pub(crate) mod status;
mod supervisor;
mod unit;
mod watch;

use std::os::fd::AsFd;
use std::path::PathBuf;

use crate::error::{During, NodeError};
use crate::machine;
use supervisor::Supervisor;

/// Where this node lives.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// The directory of the bundle to start with.
    pub(crate) bundle: PathBuf,
    /// Where services are offered.
    pub(crate) listen: Listen,
    /// Whether roles get users of their own: we are root.
    pub(crate) privileged: bool,
}

/// Where services are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// On 127.0.0.1, at this port plus the standard one; 0: at free ports.
    Loopback(u16),
    /// On every address of the machine, at the standard ports.
    Everywhere,
}

/// PID 1. Comes back only when the machine could not be brought up; the kernel then has nothing to run.
///
/// # Errors
/// When the machine cannot be brought up, or the bundle cannot be used.
pub(crate) fn boot() -> Result<(), NodeError> {
    let brought = machine::bring_up()?;
    let place = Place { data: brought.data, bundle: brought.bundle, listen: Listen::Everywhere, privileged: true };
    let ending = Supervisor::new(place, brought.buttons)?.run()?;
    machine::go_down(ending)
}

/// The parent of an ordinary run: `--bundle DIR --data DIR [--base-port N] [--leash stdin] [--secrets stdin]`. With a
/// leash it stops when its standard input ends, so that it does not outlive whoever started it. Secrets come over the
/// same socket as a descriptor, which is handed to `keyd` unread.
///
/// # Errors
/// When an argument or the bundle cannot be used, or a socket cannot be opened.
pub(crate) fn supervise(mut arguments: impl Iterator<Item = String>) -> Result<(), NodeError> {
    let (mut bundle, mut data, mut base, mut leash, mut secrets) = (None, None, 10_000, false, false);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| NodeError::Usage(format!("{name} wants a value")))?;
        match name.as_str() {
            "--bundle" => bundle = Some(PathBuf::from(value)),
            "--data" => data = Some(PathBuf::from(value)),
            "--base-port" => {
                base = value.parse().map_err(|_| NodeError::Usage(format!("--base-port {value} is no port")))?
            }
            "--leash" if value == "stdin" => leash = true,
            "--secrets" if value == "stdin" => secrets = true,
            _ => return Err(NodeError::Usage(format!("{name} is no option of supervise"))),
        }
    }
    let absolute = |path: Option<PathBuf>, name: &str| {
        let path = path.ok_or_else(|| NodeError::Usage(format!("{name} is missing")))?;
        std::path::absolute(&path).map_err(|error| NodeError::Usage(format!("{name} {}: {error}", path.display())))
    };
    let place = Place {
        data: absolute(data, "--data")?,
        bundle: absolute(bundle, "--bundle")?,
        listen: Listen::Loopback(base),
        privileged: false,
    };
    postkiln_sys::forbid_core_dumps();
    let mut supervisor = Supervisor::new(place, Vec::new())?.leashed(leash);
    if secrets {
        let taken = postkiln_ipc::take_descriptor(std::io::stdin().as_fd());
        supervisor.hand_secrets(taken.during(|| "the secrets on standard input".to_owned())?);
    }
    supervisor.run()?;
    Ok(())
}
