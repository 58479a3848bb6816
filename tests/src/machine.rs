//! [`Machine`]: an appliance in QEMU, started by `postkiln boot`; and [`Image`]: the disk image it boots. Knows ports,
//! disks and the power switch; nothing about mail.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::running::ready_ports;
use crate::wait::wait_for;
use crate::{Ended, binary, finish, kept, lines_of};

/// The longest time from QEMU's start to `ready`, with software emulation on a busy machine.
const BOOT: Duration = Duration::from_secs(300);
/// The longest time from the power button to QEMU's end.
const DOWN: Duration = Duration::from_secs(90);
/// The longest time to build an image, with packages to fetch.
const BUILD: Duration = Duration::from_secs(600);

/// The disk image of a site, as a file.
#[derive(Debug)]
pub struct Image(PathBuf);

impl Image {
    /// Builds an image at this path.
    ///
    /// # Panics
    /// When the image cannot be built.
    #[must_use]
    pub fn build(site: &Path, path: PathBuf) -> Self {
        let _ = finish(&mut Self::command(site, &path), BUILD).success();
        Self(path)
    }

    /// An image that is there already.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The command that builds an image; callers may change it before it runs. The store is shared by all tests, and a
    /// moved lock is used where `tests/run` made one.
    #[must_use]
    pub fn command(site: &Path, path: &Path) -> Command {
        Self::command_with(site, path, &Self::store())
    }

    /// The store of packages that all tests share.
    #[must_use]
    pub fn store() -> PathBuf {
        kept("store")
    }

    /// Like [`Self::command`], with another store of packages.
    #[must_use]
    pub fn command_with(site: &Path, path: &Path, store: &Path) -> Command {
        let mut build = Command::new(binary("postkiln"));
        build.arg("build").arg(site).arg("-o").arg(path).arg("--store").arg(store);
        // A copy of a site outside the repository has no time of a commit; a bundle has its numbers.
        if !site.join("manifest.json").is_file() {
            build.args(["--serial", "1"]);
        }
        let moved = kept("").join("moved-packages.lock");
        if moved.is_file() {
            build.arg("--lock").arg(moved);
        }
        build
    }

    /// The path of the image's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// A running machine; it loses its power when dropped.
#[derive(Debug)]
pub struct Machine {
    child: Child,
    output: Receiver<String>,
    errors: Receiver<String>,
    log: RefCell<Vec<String>>,
    ports: BTreeMap<String, u16>,
    took: Duration,
}

impl Machine {
    /// Boots the image with this data disk (a file, or [`crate::nbd::Disk::address`]) and waits until it is ready.
    ///
    /// # Panics
    /// When the machine does not become ready in time.
    #[must_use]
    pub fn boot(image: &Image, disk: Option<&str>, firmware: &str) -> Self {
        let began = Instant::now();
        let mut machine = Self::power_on(image, disk, firmware);
        let end = began + BOOT;
        loop {
            match machine.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let ports = ready_ports(&line);
                    machine.log.borrow_mut().push(line);
                    if let Some(ports) = ports {
                        (machine.ports, machine.took) = (ports, began.elapsed());
                        return machine;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("not ready within {BOOT:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the machine ended before it was ready"),
            }
        }
    }

    /// Switches the machine on and does not wait.
    ///
    /// # Panics
    /// When QEMU cannot be started.
    #[must_use]
    pub fn power_on(image: &Image, disk: Option<&str>, firmware: &str) -> Self {
        let mut boot = Command::new(binary("postkiln"));
        boot.arg("boot").arg(image.path()).args(["--firmware", firmware, "--base-port", "0"]);
        if let Some(disk) = disk {
            boot.args(["--disk", disk]);
        }
        let mut child = boot
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("postkiln starts");
        let output = lines_of(child.stdout.take().expect("piped"));
        let errors = lines_of(child.stderr.take().expect("piped"));
        let (log, ports) = (RefCell::new(Vec::new()), BTreeMap::new());
        Self { child, output, errors, log, ports, took: Duration::ZERO }
    }

    /// The port of the host that is forwarded to a listener.
    ///
    /// # Panics
    /// When the machine has no such listener.
    #[must_use]
    pub fn port(&self, listener: &str) -> u16 {
        *self.ports.get(listener).unwrap_or_else(|| panic!("no listener {listener} in {:?}", self.ports))
    }

    /// The time from the start of QEMU to `ready`.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
    }

    /// The output of the console and of `postkiln boot` so far.
    #[must_use]
    pub fn log(&self) -> String {
        let mut log = self.log.borrow_mut();
        log.extend(self.output.try_iter().chain(self.errors.try_iter()));
        log.join("\n")
    }

    /// Waits for a line on the console that holds this text.
    ///
    /// # Panics
    /// When no such line comes in time.
    pub fn await_console(&self, text: &str, limit: Duration) {
        let what = format!("{text:?} on the console");
        crate::eventually(&what, limit, || self.log().contains(text).then_some(()));
    }

    /// Whether QEMU has ended without being told.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Runs `postkiln test` against this machine.
    #[must_use]
    pub fn accept(&self, site: &Path, login: crate::clients::Login) -> Ended {
        crate::clients::accept(&self.ports, site, login)
    }

    /// Presses the power button and waits until the machine has switched itself off.
    ///
    /// # Panics
    /// When the machine does not switch itself off.
    pub fn press_the_power_button(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
        let status = wait_for(&mut self.child, DOWN);
        let log = self.log();
        assert!(status.is_some_and(|status| status.success()), "switched off with {status:?}\n{log}");
        log
    }

    /// Kills QEMU: the machine loses its power. What survives is up to its disks.
    pub fn kill(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the console\n{}\n---", self.log());
        }
    }
}
