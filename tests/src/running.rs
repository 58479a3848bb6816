//! [`Running`]: a node started by `postkiln run`, as unprivileged processes. Knows its ports, its data directory and
//! its processes; nothing about protocols.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;

use crate::wait::wait_for;
use crate::{Ended, binary, eventually, finish, lines_of};

/// The longest time from a node's start to `ready`, in which the site is evaluated, keys are made and ClamAV loads.
/// Generous, for two busy cores.
const READY: Duration = Duration::from_secs(90);
/// The longest time that a node may take to stop.
const STOP: Duration = Duration::from_secs(20);

/// A node in `run` mode; it is stopped when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: Receiver<String>,
    errors: Receiver<String>,
    log: std::cell::RefCell<Vec<String>>,
    ports: BTreeMap<String, u16>,
    data: PathBuf,
    owned: Option<TempDir>,
    may_be_attacked: bool,
    /// Whether the node has mounts of its own.
    is_mounted: bool,
}

/// One process of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The process id.
    pub pid: i32,
    /// The role's name, `smtpd`, `queued`, …; for another program its file name.
    pub role: String,
}

impl Running {
    /// Starts a node with an empty data directory and waits until it is ready.
    ///
    /// # Panics
    /// When the node does not become ready in time.
    #[must_use]
    pub fn start(site: &Path) -> Self {
        let data = tempfile::Builder::new().prefix("pk-data-").tempdir().expect("a temporary directory");
        let path = data.path().to_owned();
        let mut running = Self::start_with(site, &path);
        running.owned = Some(data);
        running
    }

    /// Starts a node with this data directory, which stays.
    ///
    /// # Panics
    /// When the node does not become ready in time.
    #[must_use]
    pub fn start_with(site: &Path, data: &Path) -> Self {
        Self::start_as(site, data, &data.join("no-identity"))
    }

    /// Starts a node with this data directory, which stays, as a person with this file of private keys.
    ///
    /// # Panics
    /// When it does not become ready in time.
    #[must_use]
    pub fn start_as(site: &Path, data: &Path, identity: &Path) -> Self {
        let mut running = Self::begin(Command::new(binary("postkiln")), site, data, identity);
        running.ports = running.await_ready();
        running
    }

    /// Starts a node with mounts of its own: lines of the shell that find the empty data directory in `$DATA`. An
    /// ordinary user has them in a user namespace, as its root. See [`Self::inside`].
    ///
    /// # Panics
    /// When there can be no such mounts, or the node does not become ready in time.
    #[must_use]
    pub fn start_mounted(site: &Path, mounts: &str) -> Self {
        let data = tempfile::Builder::new().prefix("pk-data-").tempdir().expect("a temporary directory");
        let mut command = Command::new("unshare");
        command.args(namespaces(&["--map-root-user"]));
        command.args(["sh", "-e", "-c", &format!("{mounts}\nexec \"$@\""), "sh"]).arg(binary("postkiln"));
        command.env("DATA", data.path());
        let mut running = Self::begin(command, site, data.path(), &data.path().join("no-identity"));
        (running.owned, running.is_mounted) = (Some(data), true);
        running.ports = running.await_ready();
        running
    }

    /// Starts a node whose log nobody reads until the given pipe is read.
    ///
    /// # Panics
    /// When the node does not become ready in time.
    #[must_use]
    pub fn start_unheard(site: &Path) -> (Self, ChildStderr) {
        let data = tempfile::Builder::new().prefix("pk-data-").tempdir().expect("a temporary directory");
        let mut child =
            Self::child(Command::new(binary("postkiln")), site, data.path(), &data.path().join("no-identity"));
        let errors = child.stderr.take().expect("piped");
        let mut running = Self::over(child, std::sync::mpsc::channel().1, data.path());
        running.owned = Some(data);
        running.ports = running.await_ready();
        (running, errors)
    }

    fn begin(command: Command, site: &Path, data: &Path, identity: &Path) -> Self {
        let mut child = Self::child(command, site, data, identity);
        let errors = lines_of(child.stderr.take().expect("piped"));
        Self::over(child, errors, data)
    }

    fn child(mut command: Command, site: &Path, data: &Path, identity: &Path) -> Child {
        command
            .args(["run".as_ref(), site.as_os_str(), "--data".as_ref(), data.as_os_str()])
            .args(["--base-port", "0"])
            .env("NO_COLOR", "1")
            .env("POSTKILN_IDENTITY", identity)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("postkiln starts")
    }

    fn over(mut child: Child, errors: Receiver<String>, data: &Path) -> Self {
        let output = lines_of(child.stdout.take().expect("piped"));
        let log = std::cell::RefCell::new(Vec::new());
        Self {
            child,
            output,
            errors,
            log,
            ports: BTreeMap::new(),
            data: data.to_owned(),
            owned: None,
            may_be_attacked: false,
            is_mounted: false,
        }
    }

    /// Runs a line of the shell among the mounts of the node, with its data directory in `$DATA`.
    #[must_use]
    pub fn inside(&self, line: &str) -> Ended {
        let mut command = Command::new(if self.is_mounted { "nsenter" } else { "env" });
        if self.is_mounted {
            command.args(namespaces(&["--preserve-credentials"]));
            command.args(["--target", &self.child.id().to_string()]);
        }
        command.args(["sh", "-e", "-c", line]);
        finish(command.env("DATA", &self.data), Duration::from_secs(60))
    }

    /// The port where the listener of this name answers: `smtp`, `submission`, `submissions`, `imap`, `imaps`, `pop3`,
    /// `pop3s`.
    ///
    /// When the node has no such listener.
    /// When there is no such listener.
    #[must_use]
    pub fn port(&self, listener: &str) -> u16 {
        *self.ports.get(listener).unwrap_or_else(|| panic!("no listener {listener} in {:?}", self.ports))
    }

    /// Runs `postkiln test` against this node.
    #[must_use]
    pub fn accept(&self, site: &Path, login: crate::clients::Login) -> crate::Ended {
        crate::clients::accept(&self.ports, site, login)
    }

    /// Says that roles are going to make system calls that are not theirs. In every other test one such call
    /// is a failure.
    #[must_use]
    pub const fn that_is_attacked(mut self) -> Self {
        self.may_be_attacked = true;
        self
    }

    /// The path of the data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The processes of the node that run now.
    #[must_use]
    pub fn services(&self) -> Vec<Service> {
        processes_of(&self.data)
    }

    /// The process of one role, if it runs.
    #[must_use]
    pub fn service(&self, role: &str) -> Option<Service> {
        self.services().into_iter().find(|service| service.role == role)
    }

    /// Sends a role a signal.
    ///
    /// # Panics
    /// When the role does not run within ten seconds.
    pub fn signal(&self, role: &str, signal: Signal) -> Service {
        let service = eventually(&format!("{role} runs"), Duration::from_secs(10), || self.service(role));
        kill_process(Pid::from_raw(service.pid).expect("a pid"), signal).expect("the process was there");
        service
    }

    /// Kills a role without warning and waits until another process has its place.
    ///
    /// # Panics
    /// When the role is not started again within a minute.
    pub fn kill_and_see_it_return(&self, role: &str) -> Service {
        let before = self.signal(role, Signal::KILL);
        eventually(&format!("{role} is started again\n{}", self.log()), Duration::from_secs(60), || {
            self.service(role).filter(|now| now.pid != before.pid)
        })
    }

    /// Tells the node that `bundles/next` has changed.
    ///
    /// # Panics
    /// When the node has ended.
    pub fn hang_up(&self) {
        kill_process(self.pid(), Signal::HUP).expect("the node runs");
    }

    /// The node's output so far, on both streams.
    #[must_use]
    pub fn log(&self) -> String {
        let mut log = self.log.borrow_mut();
        log.extend(self.output.try_iter().chain(self.errors.try_iter()));
        log.join("\n")
    }

    /// Waits until a line of the log holds all of these words.
    ///
    /// # Panics
    /// When no such line comes in time.
    pub fn await_log(&self, words: &[&str], limit: Duration) -> String {
        let found =
            |log: &str| log.lines().find(|line| words.iter().all(|word| line.contains(word))).map(ToOwned::to_owned);
        eventually(&format!("a line with {words:?}"), limit, || found(&self.log()))
    }

    /// Stops the node as a person does, and insists on a clean end: status 0 and no process left.
    ///
    /// # Panics
    /// When the node does not stop, reports a failure, or leaves a process behind.
    pub fn stop(mut self) -> String {
        kill_process(self.pid(), Signal::TERM).expect("the node runs");
        let status = wait_for(&mut self.child, STOP);
        let log = self.log();
        assert!(status.is_some_and(|status| status.success()), "stopped with {status:?}\n{log}");
        let left = self.services();
        assert!(left.is_empty(), "left behind: {left:?}\n{log}");
        log
    }

    /// Ends every process at once, without a chance to tidy up.
    pub fn kill_everything(&mut self) {
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
        // The supervisor has the lowest number mostly; where not, it may start one more before its own turn.
        for _ in 0..5 {
            for service in processes_of(&self.data) {
                let _ = kill_process(Pid::from_raw(service.pid).expect("a pid"), Signal::KILL);
            }
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn await_ready(&mut self) -> BTreeMap<String, u16> {
        let end = Instant::now() + READY;
        loop {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let ports = ready_ports(&line);
                    self.log.borrow_mut().push(line);
                    if let Some(ports) = ports {
                        return ports;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("not ready within {READY:?}\n{}", self.log()),
                Err(RecvTimeoutError::Disconnected) => panic!("ended before it was ready\n{}", self.last_words()),
            }
        }
    }

    fn last_words(&self) -> String {
        while let Ok(line) = self.errors.recv_timeout(Duration::from_secs(2)) {
            self.log.borrow_mut().push(line);
        }
        self.log()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = kill_process(self.pid(), Signal::TERM);
            let _ = wait_for(&mut self.child, STOP);
        }
        self.kill_everything();
        if std::thread::panicking() {
            eprintln!("--- the node's log\n{}\n---", self.last_words());
        } else if !self.may_be_attacked {
            let log = self.log();
            assert!(!log.contains("event=forbidden-call"), "a role is kept from its work\n{log}");
        }
    }
}

/// The ports in the line that `run` prints when every role answers: a JSON object with `ready` and `ports`.
pub(crate) fn ready_ports(line: &str) -> Option<BTreeMap<String, u16>> {
    let value: Value = serde_json::from_str(line).ok()?;
    value.get("ready").filter(|ready| **ready != Value::Bool(false))?;
    let ports = value.get("ports")?.as_object()?;
    ports.iter().map(|(name, port)| Some((name.clone(), u16::try_from(port.as_u64()?).ok()?))).collect()
}

/// The processes whose data directory is this one, judged by their environment or arguments.
#[must_use]
pub fn processes_of(data: &Path) -> Vec<Service> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<Service> =
        entries.filter_map(|entry| service_at(&entry.ok()?.path(), &data.to_string_lossy())).collect();
    found.sort_by_key(|service| service.pid);
    found
}

/// The options of unshare(1) and nsenter(1) for mounts of one's own. An ordinary user needs a user namespace for them,
/// with the other options.
fn namespaces<'a>(as_user: &[&'a str]) -> Vec<&'a str> {
    let mut options = vec!["--mount"];
    if !rustix::process::geteuid().is_root() {
        options.push("--user");
        options.extend(as_user);
    }
    options
}

fn service_at(process: &Path, data: &str) -> Option<Service> {
    let pid: i32 = process.file_name()?.to_str()?.parse().ok()?;
    let arguments = String::from_utf8_lossy(&fs::read(process.join("cmdline")).ok()?).into_owned();
    let environment = String::from_utf8_lossy(&fs::read(process.join("environ")).unwrap_or_default()).into_owned();
    let belongs = environment.split('\0').any(|one| one == format!("POSTKILN_DATA={data}"))
        || arguments.split('\0').any(|one| one == data || one.contains(&format!("{data}/")));
    let mut words = arguments.split('\0').filter(|word| !word.is_empty());
    let program = Path::new(words.next()?).file_name()?.to_str()?.to_owned();
    let role = if program == "postkiln-node" { words.next()?.to_owned() } else { program };
    (belongs && role != "postkiln").then_some(Service { pid, role })
}
