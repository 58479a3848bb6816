//! [`Keeper`]: a person with private keys who keeps a site's secrets and runs nodes with them; and a look at everything
//! that a node writes and shows, for a value that must be nowhere.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::running::processes_of;
use crate::{Ended, Running, Site, binary, finish};

/// A site with secrets, and the person who can open them.
#[derive(Debug)]
pub struct Keeper {
    site: Site,
    home: TempDir,
}

impl Keeper {
    /// Begins the secrets of a site.
    ///
    /// # Panics
    /// When `postkiln secret init` fails.
    #[must_use]
    pub fn of(site: Site) -> Self {
        let keeper = Self { site, home: tempfile::tempdir().expect("a temporary directory") };
        let _ = keeper.secret(&["init"], &[], "").success();
        keeper
    }

    /// The path of the site.
    #[must_use]
    pub fn site(&self) -> &Path {
        self.site.path()
    }

    /// The path of the file of private keys.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.home.path().join("identity")
    }

    /// Runs `postkiln secret` for the site with this input.
    ///
    /// # Panics
    /// When the program cannot be started, or does not end.
    #[must_use]
    pub fn secret(&self, command: &[&str], arguments: &[&str], input: &str) -> Ended {
        let piped = self.home.path().join("input");
        fs::write(&piped, input).expect("our own directory");
        let mut postkiln = Command::new(binary("postkiln"));
        postkiln.arg("secret").args(command).arg(self.site()).args(arguments);
        postkiln.stdin(File::open(&piped).expect("our own file")).env("POSTKILN_IDENTITY", self.identity());
        finish(&mut postkiln, Duration::from_secs(60))
    }

    /// Sets a secret; its kind is what the site wants.
    ///
    /// # Panics
    /// When that fails.
    pub fn set(&self, name: &str, value: &str) {
        let _ = self.secret(&["set"], &[name], value).success();
    }

    /// Runs a node with this data directory, which stays, and hands it the secrets.
    #[must_use]
    pub fn run(&self, data: &Path) -> Running {
        Running::start_as(self.site(), data, &self.identity())
    }

    /// The same as a person who can open nothing.
    #[must_use]
    pub fn run_without(&self, data: &Path) -> Running {
        Running::start_as(self.site(), data, &self.home.path().join("nobody"))
    }
}

/// The answer of `postkiln status`, whatever it thinks of the node.
///
/// # Panics
/// When the program cannot be started, or does not end.
#[must_use]
pub fn status(node: &Running) -> String {
    let mut status = Command::new(binary("postkiln"));
    finish(status.arg("status").arg("--data").arg(node.data()), Duration::from_secs(20)).output
}

/// Checks that no file of the node, no process of it and nothing that it said holds the value.
///
/// # Panics
/// When one does, or leaves a core dump.
pub fn check_unseen(node: &Running, value: &str) {
    let is_in = |bytes: &[u8]| bytes.windows(value.len()).any(|part| part == value.as_bytes());
    let mut folders = vec![node.data().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                assert!(!is_in(&bytes), "{}", path.display());
            }
        }
    }
    let processes = processes_of(node.data());
    assert!(processes.iter().any(|service| service.role == "keyd"), "{processes:?}");
    for service in processes {
        let place = PathBuf::from(format!("/proc/{}", service.pid));
        for name in ["environ", "cmdline"] {
            assert!(!is_in(&fs::read(place.join(name)).unwrap_or_default()), "{name} of {}", service.role);
        }
        let limits = fs::read_to_string(place.join("limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["1", "1"], "{}", service.role);
    }
    assert!(!is_in(status(node).as_bytes()) && !is_in(node.log().as_bytes()));
}
