//! Accepted mail is kept: every role is killed while mail flows, the whole node is killed, and a new bundle is taken in
//! between. In `run` mode; the power cut is in `appliance.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postkiln_tests::clients::{ADA, Lines, await_message, message, receive_from_outside};
use postkiln_tests::{Running, Site, binary, eventually, finish};

const STRANGER: &str = "stranger@elsewhere.example";

fn office() -> Site {
    Site::small_office().without_antivirus()
}

/// Sends numbered messages until told to stop, whatever happens to the node; the numbers that got their 250.
fn flow(port: u16, name: &str, is_over: &AtomicBool) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) && number < 5000 {
        if let Some(mut client) = Lines::try_connect(port) {
            client.ask("EHLO client.example");
            loop {
                number += 1;
                let id = format!("{name}-{number:05}");
                if is_over.load(Ordering::Relaxed) || !transaction(&mut client, &id) {
                    break;
                }
                accepted.insert(id);
            }
        }
    }
    accepted
}

/// Sends one message; true when it got its 250.
fn transaction(client: &mut Lines, id: &str) -> bool {
    client.ask(&format!("MAIL FROM:<{STRANGER}>")).starts_with("250")
        && client.ask("RCPT TO:<ada@example.org>").starts_with("250")
        && client.ask("DATA").starts_with("354")
        && client
            .ask(&format!("Subject: {id}\r\nMessage-ID: <{id}@test.example>\r\n\r\nkeep me\r\n."))
            .starts_with("250")
}

/// The ids of the messages in mailboxes; a file that holds no whole message fails the test.
fn delivered(data: &Path, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    maildirs(&data.join("mail"), &mut |file| {
        let Ok(text) = fs::read_to_string(file) else { return };
        let id = text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default();
        if id.starts_with(name) {
            assert!(text.ends_with("keep me\n") || text.ends_with("keep me\r\n"), "half a message: {text:?}");
            found.push(id.to_owned());
        }
    });
    found
}

fn maildirs(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            maildirs(&path, each);
        } else if path.parent().is_some_and(|parent| parent.ends_with("new") || parent.ends_with("cur")) {
            each(&path);
        }
    }
}

fn check_all_arrive(data: &Path, name: &str, accepted: &BTreeSet<String>, log: impl Fn() -> String) {
    assert!(accepted.len() > 10, "only {} messages were accepted\n{}", accepted.len(), log());
    let mut missing = accepted.clone();
    eventually(
        &format!("all {} accepted messages are in the mailbox", accepted.len()),
        Duration::from_secs(120),
        || {
            let found: BTreeSet<String> = delivered(data, name).into_iter().collect();
            missing = accepted.difference(&found).cloned().collect();
            missing.is_empty().then_some(())
        },
    );
}

#[test]
fn every_role_may_be_killed_while_mail_flows() {
    let node = Running::start(office().path());
    let port = node.port("smtp");
    let is_over = AtomicBool::new(false);
    let accepted = std::thread::scope(|scope| {
        let flows: Vec<_> = ["one", "two"].map(|name| scope.spawn(|| flow(port, name, &is_over))).into_iter().collect();
        // Each role dies several times, because a death interrupts something else each time.
        for role in
            ["queued", "smtpd", "local", "directoryd", "remote", "keyd", "imapd", "pop3d", "policyd", "controld"]
        {
            node.kill_and_see_it_return(role);
        }
        for role in ["queued", "local", "smtpd", "queued"] {
            node.kill_and_see_it_return(role);
        }
        is_over.store(true, Ordering::Relaxed);
        flows.into_iter().map(|flow| flow.join().unwrap()).collect::<Vec<_>>()
    });
    for (name, accepted) in ["one", "two"].iter().zip(&accepted) {
        check_all_arrive(node.data(), name, accepted, || node.log());
    }
    // Afterwards all roles work again.
    let text = message(STRANGER, ADA.user, "afterwards", "hello");
    eventually("mail is accepted", Duration::from_secs(30), || {
        (receive_from_outside(&node, STRANGER, &[ADA.user], &text).code == 250).then_some(())
    });
    await_message(&node, ADA, "afterwards");
    node.stop();
}

#[test]
fn the_whole_node_may_be_killed_while_mail_flows() {
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    let site = office();
    let mut everything = BTreeSet::new();
    for round in ["first", "second", "third"] {
        let mut node = Running::start_with(site.path(), data.path());
        let is_over = AtomicBool::new(false);
        let port = node.port("smtp");
        let accepted = std::thread::scope(|scope| {
            let flow = scope.spawn(|| flow(port, round, &is_over));
            // The roles are killed once some mail is on its way.
            eventually("mail flows", Duration::from_secs(60), || {
                (delivered(data.path(), round).len() > 20).then_some(())
            });
            node.kill_everything();
            is_over.store(true, Ordering::Relaxed);
            flow.join().unwrap()
        });
        everything.extend(accepted);
    }
    let node = Running::start_with(site.path(), data.path());
    check_all_arrive(data.path(), "", &everything, || node.log());
    node.stop();
}

#[test]
fn a_killed_role_is_started_again_and_the_others_go_on() {
    let node = Running::start(office().path());
    let before: BTreeSet<_> = node.services().into_iter().map(|service| (service.role, service.pid)).collect();
    let killed = node.kill_and_see_it_return("imapd");
    let after: BTreeSet<_> = node.services().into_iter().map(|service| (service.role, service.pid)).collect();
    let changed: Vec<_> = before.difference(&after).map(|(role, _)| role.as_str()).collect();
    assert_eq!(changed, ["imapd"]);
    assert!(after.contains(&("imapd".to_owned(), killed.pid)));
    let text = message(STRANGER, ADA.user, "after the crash", "hello");
    assert_eq!(receive_from_outside(&node, STRANGER, &[ADA.user], &text).code, 250);
    await_message(&node, ADA, "after the crash");
    node.stop();
}

#[test]
fn a_new_bundle_counts_from_the_next_connection() {
    let node = Running::start(office().path());
    let rcpt = |client: &mut Lines, to: &str| {
        client.expect(&format!("MAIL FROM:<{STRANGER}>"), "250");
        let reply = client.ask(&format!("RCPT TO:<{to}>"));
        client.expect("RSET", "250");
        reply
    };
    let mut old = Lines::connect(node.port("smtp"));
    old.expect("EHLO client.example", "250");
    assert!(rcpt(&mut old, "new@added.example").starts_with('5'));
    let added = "domains.\"added.example\" = { postmaster = \"new\", users.new = { password.hash = HASH } }";
    let hash = fs::read_to_string(office().path().join("inner0.ncl")).unwrap();
    let hash = hash.split('"').find(|word| word.starts_with("$argon2id$")).expect("a hash in the example").to_owned();
    let site = office().with(&added.replace("HASH", &format!("{hash:?}")));
    let bundle = node.data().join("bundles/tried");
    let mut compile = Command::new(binary("postkiln"));
    let _ = finish(compile.arg("compile").arg(site.path()).arg("-o").arg(&bundle), Duration::from_secs(60)).success();
    symlink("tried", node.data().join("bundles/next")).unwrap();
    node.hang_up();
    eventually(&format!("the new bundle is in force\n{}", node.log()), Duration::from_secs(30), || {
        let mut client = Lines::try_connect(node.port("smtp"))?;
        client.ask("EHLO client.example");
        rcpt(&mut client, "new@added.example").starts_with("250").then_some(())
    });
    // A client that connected before is neither thrown out nor hung.
    assert!(rcpt(&mut old, "ada@example.org").starts_with("250"));
    let text = message(STRANGER, "new@added.example", "to the new domain", "hello");
    assert_eq!(receive_from_outside(&node, STRANGER, &["new@added.example"], &text).code, 250);

    // An invalid bundle changes nothing.
    fs::write(node.data().join("bundles/tried/control/rcpthosts"), "broken\n").unwrap();
    node.hang_up();
    node.await_log(&["bundle-refused"], Duration::from_secs(30));
    assert_eq!(
        receive_from_outside(&node, STRANGER, &[ADA.user], &message(STRANGER, ADA.user, "still", "x")).code,
        250
    );
    await_message(&node, ADA, "still");
    node.stop();
}
