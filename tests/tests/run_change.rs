//! A change of the bundle while roles die or hang in the middle of it: it is done when all of them run the new one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::clients::Lines;
use postkiln_tests::{Running, Site, binary, finish};
use rustix::process::Signal;

/// The text that clients read first after the change.
const GREETING: &str = "mail.example.org changed";

fn office() -> Site {
    Site::small_office().without_antivirus()
}

/// Compiles the office with another greeting to `bundles/next` and tells the node.
fn offer(node: &Running) {
    let bundles = node.data().join("bundles");
    let site = office().with(&format!("smtp.greeting = {GREETING:?}"));
    let mut compile = Command::new(binary("postkiln"));
    compile.arg("compile").arg(site.path()).arg("-o").arg(bundles.join("changed"));
    let _ = finish(&mut compile, Duration::from_secs(60)).success();
    symlink("changed", bundles.join("next")).unwrap();
    node.hang_up();
}

/// Insists on the new greeting, and that the node says it has changed.
fn check_changed(node: &Running) {
    node.await_log(&["event=bundle-applied"], Duration::from_secs(60));
    assert!(Lines::raw(node.port("smtp")).reply().contains(GREETING));
    let status = fs::read_to_string(node.data().join("run/status.json")).unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!((&status["applied"]["problem"], &status["applied"]["bundle"]), (&"".into(), &status["bundle"]));
}

#[test]
fn a_role_that_dies_after_it_has_prepared_runs_the_new_bundle_in_the_end() {
    let node = Running::start(office().path());
    node.signal("directoryd", Signal::STOP);
    offer(&node);
    node.await_log(&["event=prepared", "service=smtpd"], Duration::from_secs(60));
    // The new smtpd starts with the bundle of before: the other one is not in force yet.
    node.kill_and_see_it_return("smtpd");
    assert!(!Lines::raw(node.port("smtp")).reply().contains(GREETING));
    node.signal("directoryd", Signal::CONT);
    check_changed(&node);
    node.stop();
}

#[test]
fn a_role_that_hangs_after_it_has_prepared_is_started_again_with_the_new_bundle() {
    let node = Running::start(office().path());
    node.signal("directoryd", Signal::STOP);
    offer(&node);
    node.await_log(&["event=prepared", "service=smtpd"], Duration::from_secs(60));
    node.signal("smtpd", Signal::STOP);
    node.signal("directoryd", Signal::CONT);
    check_changed(&node);
    node.stop();
}
