//! Secrets that reach a node in `run` mode: they work, each for its purpose, and are seen nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postkiln_tests::clients::{Login, await_message, message, receive_from_outside};
use postkiln_tests::{Ended, Running, Site, binary, finish, processes_of};
use tempfile::TempDir;

const STRANGER: &str = "stranger@elsewhere.example";
/// Nothing else on a machine reads like this.
const FIRST: Login = Login { user: "emmy@example.org", password: "noether-7f3a91c2e5" };
const SECOND: Login = Login { user: "emmy@example.org", password: "noether-b08d44aa19" };

/// The office with a user whose password is a secret, and a person who keeps it.
struct Desk {
    site: Site,
    home: TempDir,
}

impl Desk {
    fn new() -> Self {
        let site = Site::small_office()
            .without_antivirus()
            .with("domains.\"example.org\".users.emmy = { password.secret = \"emmy\" }");
        let desk = Self { site, home: tempfile::tempdir().unwrap() };
        let site = desk.site.path().to_str().unwrap();
        let _ = desk.postkiln(&["secret", "init", site], "").success();
        desk
    }

    fn identity(&self) -> PathBuf {
        self.home.path().join("identity")
    }

    fn postkiln(&self, arguments: &[&str], input: &str) -> Ended {
        let piped = self.home.path().join("input");
        fs::write(&piped, input).unwrap();
        let mut command = Command::new(binary("postkiln"));
        command.args(arguments).stdin(File::open(&piped).unwrap()).env("POSTKILN_IDENTITY", self.identity());
        finish(&mut command, Duration::from_secs(60))
    }

    fn set(&self, login: Login) {
        let _ = self.postkiln(&["secret", "set", self.site.path().to_str().unwrap(), "emmy"], login.password).success();
    }

    fn run(&self, data: &Path, identity: &Path) -> Running {
        Running::start_as(self.site.path(), data, identity)
    }
}

fn status(node: &Running) -> String {
    let mut status = Command::new(binary("postkiln"));
    finish(status.arg("status").arg("--data").arg(node.data()), Duration::from_secs(20)).success().output
}

/// Mail arrives, and the person reads it with this password.
fn check_works(node: &Running, login: Login, subject: &str) {
    let text = message(STRANGER, login.user, subject, "hello");
    assert_eq!(receive_from_outside(node, STRANGER, &[login.user], &text).code, 250);
    await_message(node, login, subject);
}

/// No file of the node, no process of it and nothing it said holds the value.
fn check_unseen(node: &Running, value: &str) {
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

#[test]
fn a_password_that_is_a_secret_lets_its_owner_in_and_is_seen_nowhere() {
    let desk = Desk::new();
    desk.set(FIRST);
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    let node = desk.run(data.path(), &desk.identity());
    assert!(!node.log().contains("W0301") && node.log().contains("secrets-delivered"), "{}", node.log());
    check_works(&node, FIRST, "first");
    check_unseen(&node, FIRST.password);
    // A delivered secret outlives the process that it was delivered to.
    node.kill_and_see_it_return("keyd");
    node.kill_and_see_it_return("directoryd");
    check_works(&node, FIRST, "again");
    node.stop();

    // Nobody hands it over again: the node has it.
    let node = desk.run(data.path(), &desk.home.path().join("nobody"));
    let said = node.log();
    assert!(said.contains("no identity at") && said.contains("the password of emmy@example.org"), "{said}");
    check_works(&node, FIRST, "kept");
    node.stop();
}

#[test]
fn a_rotated_password_works_when_it_is_delivered_and_the_old_one_no_more() {
    let desk = Desk::new();
    desk.set(FIRST);
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    desk.run(data.path(), &desk.identity()).stop();
    desk.set(SECOND);
    let node = desk.run(data.path(), &desk.home.path().join("nobody"));
    assert!(status(&node).contains("the password of emmy@example.org was not delivered"), "{}", status(&node));
    node.stop();
    let node = desk.run(data.path(), &desk.identity());
    check_works(&node, SECOND, "second");
    check_unseen(&node, SECOND.password);
    node.stop();
}

#[test]
fn a_person_without_an_identity_is_told_what_to_do_first() {
    let desk = Desk::new();
    let site = desk.site.path().to_str().unwrap();
    fs::remove_file(desk.identity()).unwrap();
    let ended = desk.postkiln(&["secret", "set", site, "emmy"], "x");
    assert!(
        ended.errors.contains("postkiln secret identity") && ended.errors.contains("recipients"),
        "{}",
        ended.errors
    );
    fs::remove_file(desk.site.path().join("secrets.age")).unwrap();
    let ended = desk.postkiln(&["secret", "set", site, "emmy"], "x");
    assert!(ended.errors.contains("postkiln secret init"), "{}", ended.errors);
}
