//! `postkiln fmt --migrate` on real sites.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use postkiln_tests::binary;

fn postkiln(arguments: &[&str], site: &Path) -> Output {
    Command::new(binary("postkiln")).args(arguments).arg(site).output().expect("postkiln starts")
}

#[test]
fn a_site_without_a_version_gets_one_and_stays_as_it_was() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/minimal/site.ncl");
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site.ncl");
    let before: String = std::fs::read_to_string(example)
        .unwrap()
        .lines()
        .filter(|line| !line.contains("version ="))
        .flat_map(|line| [line, "\n"])
        .collect();
    std::fs::write(&site, &before).unwrap();

    let told = postkiln(&["fmt", "--migrate", "--check"], folder.path());
    assert_eq!(told.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&site).unwrap(), before, "--check writes nothing");

    let done = postkiln(&["fmt", "--migrate"], folder.path());
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.stdout, told.stdout);
    let after = std::fs::read_to_string(&site).unwrap();
    assert_eq!(after.replacen("  version = 1,\n", "", 1), before, "one line was added");
    assert_eq!(postkiln(&["check"], folder.path()).status.code(), Some(0));

    let again = postkiln(&["fmt", "--migrate", "--check"], &site);
    assert_eq!((again.status.code(), again.stdout.len()), (Some(0), 0), "there is nothing left to do");
}

#[test]
fn what_is_no_nickel_is_shown_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.ncl"), "{ appliance = ").unwrap();
    let refused = postkiln(&["fmt", "--migrate"], folder.path());
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("site.ncl:1:"));
}
