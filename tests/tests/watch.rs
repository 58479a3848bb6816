//! `postkiln check --watch` sees what a person saves, in every file the site consists of, and ends as its
//! last round did.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use postkiln_tests::{binary, eventually, lines_of};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A site of three files, and the command that watches it.
struct Watching {
    folder: TempDir,
    child: Child,
    output: Receiver<String>,
    errors: Receiver<String>,
}

impl Watching {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("site.ncl"), SITE).unwrap();
        fs::write(folder.path().join("data/ttl.ncl"), "\"1 hour\"\n").unwrap();
        fs::write(folder.path().join("data/ours.ndb"), "Ours.Test:0:*:6f757273\n").unwrap();
        // Standard input ends at once; a command started by another program must go on all the same.
        let mut command = Command::new(binary("postkiln"));
        command.args(["check", "--watch"]).arg(folder.path()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = lines_of(child.stdout.take().unwrap());
        let errors = lines_of(child.stderr.take().unwrap());
        Self { folder, child, output, errors }
    }

    /// Waits for a round that ends with this text; a change may be seen in several rounds.
    fn sees(&self, expected: &str) {
        loop {
            let line = self.output.recv_timeout(LIMIT).unwrap_or_else(|_| {
                panic!("no round says {expected:?}; errors: {:?}", self.errors.try_iter().collect::<Vec<_>>())
            });
            assert!(line.contains(" ms); watching "), "{line}");
            if line.starts_with(expected) {
                return;
            }
        }
    }

    /// Saves a file as careful editors do: a new file takes the old one's name.
    fn save(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        let new = Path::new(&path).with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn interrupt(mut self) -> i32 {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        while self.output.recv_timeout(LIMIT).is_ok() {}
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

#[test]
fn every_file_of_the_site_is_watched() {
    let watching = Watching::new();
    watching.sees("no findings");
    watching.save("site.ncl", &SITE.replace("users.ada", "aliases.sales = [\"eve\"], users.ada"));
    watching.sees("1 error");
    fs::write(watching.folder.path().join("site.ncl"), SITE).unwrap();
    watching.sees("no findings");
    watching.save("data/ttl.ncl", "3600\n");
    watching.sees("1 error");
    watching.save("data/ttl.ncl", "\"2 hours\"\n");
    watching.sees("no findings");
    fs::remove_file(watching.folder.path().join("data/ours.ndb")).unwrap();
    watching.sees("1 error");
    watching.save("data/ours.ndb", "Ours.Test:0:*:6f757273\n");
    watching.sees("no findings");
    assert_eq!(watching.interrupt(), 0);
}

#[test]
fn it_ends_as_the_last_round_did() {
    let watching = Watching::new();
    watching.sees("no findings");
    watching.save("site.ncl", "{");
    watching.sees("1 error");
    while !watching.errors.recv_timeout(LIMIT).expect("the finding is shown").contains("error[E0101]") {}
    assert_eq!(watching.interrupt(), 1);
}

#[test]
fn a_round_that_takes_long_ends_with_the_command() {
    let watching = Watching::new();
    watching.sees("no findings");
    watching.save("data/ttl.ncl", "let rec count = fun n => count (n + 1) in count 0\n");
    let evaluator = eventually("the site is evaluated", LIMIT, || evaluator(watching.folder.path()));
    // The last round that ended had no findings, so the exit code is 0.
    assert_eq!(watching.interrupt(), 0);
    eventually("the evaluator is gone", LIMIT, || (!Path::new("/proc").join(&evaluator).exists()).then_some(()));
}

/// The process that evaluates a site.
fn evaluator(site: &Path) -> Option<OsString> {
    let site = site.canonicalize().unwrap();
    let evaluates = |arguments: &[u8]| {
        let arguments: Vec<&[u8]> = arguments.split(|octet| *octet == 0).collect();
        arguments.contains(&b"evaluate-site".as_slice()) && arguments.contains(&site.as_os_str().as_bytes())
    };
    let mut processes = fs::read_dir("/proc").unwrap().flatten();
    let found = processes.find(|process| fs::read(process.path().join("cmdline")).is_ok_and(|text| evaluates(&text)));
    found.map(|process| process.file_name())
}

const SITE: &str = r#"let pk = import "postkiln/site.ncl" in
{
  appliance = {
    hostname = "mail.example.org",
    network = { address = "192.0.2.25/24", gateway = "192.0.2.1", resolvers = ["192.0.2.53"] },
  },
  domains."example.org" = {
    users.ada.forward.to = ["ada@elsewhere.example"],
  },
  dns.ttl = import "data/ttl.ncl",
  antivirus = { engine = 'clamav, signatures = ["data/ours.ndb"] },
} | pk.Site
"#;
const LIMIT: Duration = Duration::from_secs(60);
