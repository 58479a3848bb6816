//! The machine under the services: not written yet; its owner replaces this file and keeps the functions that `init.rs`
//! and `init/supervisor.rs` call.

use std::fs::File;
use std::path::PathBuf;

use crate::init::Ending;
use crate::init::status::Status;

/// What PID 1 finds when the machine is up.
pub(crate) struct Brought {
    /// The data directory, mounted.
    pub(crate) data: PathBuf,
    /// The directory of the active bundle.
    pub(crate) bundle: PathBuf,
    /// Input devices with a power button, non-blocking: readable when something was pressed.
    pub(crate) buttons: Vec<File>,
}

/// Mounts, finds the data disk, installs the image's bundle.
pub(crate) fn bring_up() -> Result<Brought, String> {
    Err("this machine cannot be brought up yet".to_owned())
}

/// Whether what is to be read from a button says that it was pressed.
pub(crate) fn is_pressed(_button: &mut File) -> bool {
    false
}

/// Shows a changed state on the console.
pub(crate) fn show(_status: &Status) {}

/// Writes out, unmounts, and ends the machine.
pub(crate) fn go_down(_ending: Ending) -> Result<(), String> {
    Err("this machine cannot go down yet".to_owned())
}
