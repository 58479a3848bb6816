//! The serial numbers of zones, by which secondaries know a newer zone: they come from the history of a site, from the
//! command line or from an earlier bundle, and a site whose secondaries would notice nothing is warned of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{Ended, Site, binary, finish};
use tempfile::TempDir;

/// A repository with a site in the folder `mail`, and nothing committed.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), TIME, &["init", "-q", "-b", "main", "."]);
    let site = Site::example("minimal").with("dns.name_servers = [\"ns1.example.net\", \"ns2.example.net\"]");
    let copied = Command::new("cp").arg("-r").arg(site.path()).arg(folder.path().join("mail")).status();
    assert!(copied.expect("cp").success());
    folder
}

/// Runs git as a person whose clock shows `time`.
fn git(folder: &Path, time: u32, arguments: &[&str]) {
    let date = format!("{time} +0000");
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments);
    let _ = finish(command.env("GIT_COMMITTER_DATE", &date).env("GIT_AUTHOR_DATE", &date), LIMIT).success();
}

fn commit(folder: &Path, time: u32) {
    git(folder, time, &["add", "-A"]);
    git(folder, time, &["commit", "-q", "-m", "a change"]);
}

fn change(folder: &Path, ttl: &str) {
    fs::write(folder.join("mail/ttl.ncl"), format!("{{ dns.ttl = \"{ttl}\" }}\n")).expect("our own folder");
    let site = folder.join("mail/site.ncl");
    let text = fs::read_to_string(&site).expect("text");
    if !text.contains("ttl.ncl") {
        fs::write(&site, format!("{} & (import \"ttl.ncl\")\n", text.trim_end())).expect("our own folder");
    }
}

fn postkiln(folder: &Path, arguments: &[&str]) -> Ended {
    finish(Command::new(binary("postkiln")).current_dir(folder).args(arguments), LIMIT)
}

/// The serial number in the zone of a compiled bundle.
fn serial(folder: &Path, bundle: &str) -> u32 {
    let zone = fs::read_to_string(folder.join(bundle).join("dns/example.org.zone")).expect("a zone");
    let soa = zone.lines().find(|line| line.contains("\tSOA\t")).expect("an SOA record");
    soa.split_whitespace().nth(5).expect("a serial number").parse().expect("a number")
}

/// Compiles the site and gives its serial number; `code` is that of a warning, or nothing when there is none.
fn check(folder: &Path, options: &[&str], code: &str, expected: u32) {
    let _ = fs::remove_dir_all(folder.join("out"));
    let ended = postkiln(folder, &[&["compile", "mail", "-o", "out"], options].concat()).success();
    assert_eq!(serial(folder, "out"), expected, "{options:?}");
    let is_said = |said: &str| said.contains("W0377") || said.contains("W0378");
    let checked = postkiln(folder, &[&["check", "mail"], options].concat()).success();
    for said in [ended.errors, checked.errors] {
        assert_eq!(is_said(&said), !code.is_empty(), "{options:?}: {said}");
        assert!(said.contains(code), "{options:?}: {said}");
    }
}

#[test]
fn the_newest_commit_that_touched_the_site_gives_the_number() {
    let folder = repository();
    let here = folder.path();
    check(here, &[], "W0377", 1);
    commit(here, 1_700_000_000);
    check(here, &[], "", 1_700_000_000);
    // Files beside the site do not count, whether they are committed or not.
    fs::write(here.join("README"), "x").expect("our own folder");
    commit(here, 1_700_000_100);
    check(here, &[], "", 1_700_000_000);
    fs::write(here.join("mail/notes"), "x").expect("our own folder");
    check(here, &[], "", 1_700_000_000);
    change(here, "2 hours");
    check(here, &[], "W0377", 1);
    // A file that the site reads and that git is told not to see.
    fs::write(here.join(".gitignore"), "ttl.ncl\n").expect("our own folder");
    commit(here, 1_700_000_200);
    check(here, &[], "ttl.ncl is not committed", 1);
    fs::write(here.join(".gitignore"), "").expect("our own folder");
    commit(here, 1_700_000_300);
    check(here, &[], "", 1_700_000_300);
    check(here, &["--serial", "7"], "", 7);
}

#[test]
fn the_same_commit_gives_the_same_bytes() {
    let folder = repository();
    let here = folder.path();
    commit(here, 1_700_000_000);
    git(here, TIME, &["clone", "-q", ".", "clone"]);
    let made = ["mail", "clone/mail"].map(|site| {
        let ended = postkiln(here, &["compile", site, "-o", &format!("out-{}", site.len())]).success();
        ended.output
    });
    assert_eq!(made[0], made[1]);
    // A change that is shown before it is committed comes after what is committed.
    change(here, "2 hours");
    let plan = postkiln(here, &["plan", "mail", "--json"]);
    assert_eq!(plan.code(), 2, "{}", plan.errors);
    assert!(!plan.output.contains("W0377"), "{}", plan.output);
}

#[test]
fn an_earlier_bundle_gives_the_number() {
    let folder = repository();
    let here = folder.path();
    let _ = postkiln(here, &["compile", "mail", "-o", "one", "--serial", "41"]).success();
    check(here, &["--after", "one"], "", 41);
    change(here, "2 hours");
    check(here, &["--after", "one"], "", 42);
    let packed = postkiln_bundle::Bundle::read(&here.join("one")).expect("a bundle").pack().expect("it fits in memory");
    fs::write(here.join("packed"), packed).expect("our own folder");
    check(here, &["--after", "packed"], "", 42);
    check(here, &["--after", "one", "--serial", "7"], "", 7);
    assert_eq!(postkiln(here, &["compile", "mail", "-o", "two", "--after", "absent"]).code(), 4);
    // A clock that went back makes no zone older; one that goes right counts again.
    let _ = postkiln(here, &["compile", "mail", "-o", "three", "--serial", "1700000000"]).success();
    change(here, "3 hours");
    commit(here, 1_600_000_000);
    check(here, &["--after", "three"], "", 1_700_000_001);
    change(here, "4 hours");
    commit(here, 1_700_000_500);
    check(here, &["--after", "three"], "", 1_700_000_500);
}

#[test]
fn no_program_that_a_repository_names_is_run() {
    let folder = repository();
    let here = folder.path();
    commit(here, 1_700_000_000);
    let ran = here.join("ran");
    git(here, TIME, &["config", "core.fsmonitor", &format!("touch {}; false", ran.display())]);
    check(here, &[], "", 1_700_000_000);
    assert!(!ran.exists());
}

#[test]
fn a_history_that_is_cut_off_is_noticed() {
    let folder = repository();
    let here = folder.path();
    git(here, TIME, &["commit", "-q", "--allow-empty", "-m", "a beginning"]);
    commit(here, 1_700_000_000);
    for time in [1_700_000_100, 1_700_000_200] {
        fs::write(here.join("README"), time.to_string()).expect("our own folder");
        commit(here, time);
    }
    let from = format!("file://{}", here.display());
    for (depth, code, expected) in [("1", "W0378", 1), ("2", "W0378", 1), ("4", "", 1_700_000_000)] {
        let clone = tempfile::tempdir().expect("a folder");
        git(clone.path(), TIME, &["clone", "-q", "--depth", depth, &from, "."]);
        check(clone.path(), &[], code, expected);
        check(clone.path(), &["--serial", "7"], "", 7);
    }
}

/// The time of what makes no commit.
const TIME: u32 = 1_700_000_000;
const LIMIT: Duration = Duration::from_secs(60);
