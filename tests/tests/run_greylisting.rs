//! Greylisting on a running node: strangers come twice, and everybody else does not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::clients::{ADA, GRACE, await_message, message, receive_from_outside, submit};
use postkiln_tests::{Running, Site, binary, eventually, finish};

fn office() -> Site {
    Site::small_office().without_antivirus()
}

/// The code of one message from a stranger to Ada.
fn knock(node: &Running, from: &str, subject: &str) -> u64 {
    receive_from_outside(node, from, &[ADA.user], &message(from, ADA.user, subject, "hello")).code
}

/// A stranger who does not give up.
fn knock_until_heard(node: &Running, from: &str, subject: &str) {
    assert_eq!(knock(node, from, subject), 450);
    eventually(&format!("{from} is heard\n{}", node.log()), Duration::from_secs(60), || {
        (knock(node, from, subject) == 250).then_some(())
    });
}

#[test]
fn strangers_come_again_and_are_known_then() {
    let site = office().with("smtp.greylisting = { delay = \"1 second\" }");
    let node = Running::start(site.path());
    let known = "bob@elsewhere.example";
    knock_until_heard(&node, known, "first");
    let _ = await_message(&node, ADA, "first");
    assert_eq!(knock(&node, known, "second"), 250, "known");
    let to_grace = receive_from_outside(&node, known, &[GRACE.user], &message(known, GRACE.user, "third", "hello"));
    assert_eq!(to_grace.code, 250, "known to everybody");
    node.kill_and_see_it_return("policyd");
    assert_eq!(knock(&node, known, "fourth"), 250, "still known: {}", node.log());
    assert_eq!(knock(&node, "eve@elsewhere.example", "fifth"), 450, "a stranger still");
    assert_eq!(
        submit(&node, "submissions", ADA, &[GRACE.user], &message(ADA.user, GRACE.user, "sixth", "hi")).code,
        250
    );
    let nobody =
        receive_from_outside(&node, "eve@elsewhere.example", &["nobody@example.org"], &message("", "", "x", "x"));
    assert_eq!(nobody.code, 550, "who asks for nobody hears so at once");
    node.stop();
}

#[test]
fn a_memory_that_is_damaged_is_begun_anew() {
    let site = office().with("smtp.greylisting = { delay = \"1 second\" }");
    let node = Running::start(site.path());
    let stranger = "bob@elsewhere.example";
    assert_eq!(knock(&node, stranger, "first"), 450);
    let before = node.service("policyd").expect("policyd runs");
    for name in ["memory.sqlite", "memory.sqlite-wal", "memory.sqlite-shm"] {
        let path = node.data().join("policy").join(name);
        let nonsense = vec![0x55; usize::try_from(path.metadata().expect("a file").len()).expect("a length")];
        OpenOptions::new().write(true).open(path).expect("a file").write_all(&nonsense).expect("room");
    }
    assert_eq!(knock(&node, stranger, "second"), 451, "{}", node.log());
    eventually(&format!("another life\n{}", node.log()), Duration::from_secs(60), || {
        node.service("policyd").filter(|now| now.pid != before.pid)
    });
    knock_until_heard(&node, stranger, "third");
    assert!(node.data().join("policy/memory.broken").exists());
    node.stop();
}

#[test]
fn acceptance_passes_though_strangers_wait() {
    let site = office().with("smtp.greylisting = {}");
    let node = Running::start(site.path());
    let said = node.accept(site.path(), ADA);
    assert_eq!(said.code(), 0, "{}{}", said.output, said.errors);
    assert!(said.output.contains("450"), "{}", said.output);
    node.stop();
}

#[test]
fn a_plan_says_that_greylisting_begins_and_who_reloads() {
    let (before, after) = (office(), office().with("smtp.greylisting = {}"));
    let mut plan = Command::new(binary("postkiln"));
    plan.arg("plan").arg(after.path()).arg("--against").arg(before.path());
    let said = finish(&mut plan, Duration::from_secs(60));
    assert_eq!(said.code(), 2, "{}{}", said.output, said.errors);
    for part in ["greylisting", "300 172800 3024000", "smtpd", "policyd"] {
        assert!(said.output.contains(part), "no {part} in\n{}", said.output);
    }
}
