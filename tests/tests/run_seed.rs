//! The users of a running node when its bundle goes back, and when a seed is cut off half-way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::clients::{ADA, Login, await_message, message, receive_from_outside};
use postkiln_tests::{Database, Running, Site, binary, eventually, finish};
use rustix::process::Signal;

const STRANGER: &str = "stranger@elsewhere.example";
/// A user of later generations only, with the password of the others.
const EMMY: Login = Login { user: "emmy@example.org", password: ADA.password };

/// A site of the office without emmy.
fn earlier(generation: u32) -> Site {
    Site::small_office().without_antivirus().with(&format!("generation = {generation}"))
}

/// A site of the office with emmy.
fn later(generation: u32) -> Site {
    let example = fs::read_to_string(Site::small_office().path().join("site.ncl")).unwrap();
    let hash = example.split('"').find(|word| word.starts_with("$argon2id$")).expect("a hash in the example");
    let emmy = format!("domains.\"example.org\".users.emmy = {{ password.hash = {hash:?} }}");
    Site::small_office().without_antivirus().with(&format!("generation = {generation}, {emmy}"))
}

/// The code of the reply to mail for this address.
fn reply(node: &Running, to: &str, subject: &str) -> u64 {
    receive_from_outside(node, STRANGER, &[to], &message(STRANGER, to, subject, "hello")).code
}

fn status(node: &Running) -> String {
    let mut status = Command::new(binary("postkiln"));
    // A seed that was refused makes it exit 1.
    finish(status.arg("status").arg("--data").arg(node.data()), Duration::from_secs(20)).output
}

#[test]
fn an_earlier_bundle_serves_the_users_there_are() {
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    let node = Running::start_with(later(2).path(), data.path());
    assert_eq!(reply(&node, EMMY.user, "later"), 250);
    await_message(&node, EMMY, "later");
    assert!(!status(&node).contains("generation"), "{}", status(&node));
    node.stop();

    // The site of an earlier commit knows nothing of emmy; the database does.
    let node = Running::start_with(earlier(1).path(), data.path());
    assert_eq!(reply(&node, EMMY.user, "earlier"), 250);
    await_message(&node, EMMY, "earlier");
    let shown = status(&node);
    let line = shown.lines().find(|line| line.starts_with("directoryd")).expect("a line for directoryd");
    assert!(line.contains("users are those of another bundle") && line.contains("newer generation"), "{shown}");
    node.stop();

    // With the number that the database has, the site's users are taken again.
    let node = Running::start_with(earlier(2).path(), data.path());
    assert_eq!(reply(&node, EMMY.user, "gone"), 550);
    assert!(!status(&node).contains("generation"), "{}", status(&node));
    node.stop();
}

#[test]
fn a_bundle_whose_users_are_refused_is_refused_as_a_whole() {
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    let node = Running::start_with(later(2).path(), data.path());
    // In the earlier bundle nobody has this address.
    let refusing = earlier(1).with("domains.\"example.org\".aliases.newcomer = [\"ada\"]");
    offer(&node, &refusing, 1);
    node.await_log(&["bundle-refused", "newer generation"], Duration::from_secs(60));
    assert_eq!((reply(&node, EMMY.user, "still"), reply(&node, "newcomer@example.org", "no")), (250, 550));
    let shown = status(&node);
    assert!(!shown.contains("another bundle"), "{shown}");
    // The next one, with users that can be taken, is taken with its addresses.
    let taken = earlier(2).with("domains.\"example.org\".aliases.newcomer = [\"ada\"]");
    offer(&node, &taken, 2);
    node.await_log(&["bundle-applied"], Duration::from_secs(60));
    assert_eq!((reply(&node, EMMY.user, "gone"), reply(&node, "newcomer@example.org", "yes")), (550, 250));
    node.stop();
}

#[test]
fn users_who_are_there_already_are_not_taken_again() {
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    let node = Running::start_with(earlier(0).path(), data.path());
    let database = Database::sqlite(&node.data().join("db/postkiln.sqlite"));
    // A mark that any seed would take away.
    let _ = database.done("UPDATE accounts SET name = 'marked' WHERE local = 'ada';");
    let marked = || database.done("SELECT name FROM accounts WHERE local = 'ada';").trim() == "marked";
    offer(&node, &earlier(0).with("control.smtpgreeting = \"mail.example.org hello\""), 1);
    node.await_log(&["bundle-applied"], Duration::from_secs(60));
    assert!(marked());
    node.stop();
    let node = Running::start_with(earlier(0).path(), data.path());
    assert!(marked());
    offer(&node, &later(0), 2);
    node.await_log(&["bundle-applied"], Duration::from_secs(60));
    assert!(!marked() && reply(&node, EMMY.user, "later") == 250);
    node.stop();
}

/// Number of people: so many that the database writes to the disk before all of them are there.
const PEOPLE: u32 = 20_000;
/// The number of attempts to hit the middle of a seed.
const TRIES: u32 = 8;

#[test]
fn users_that_were_taken_half_way_are_those_of_before() {
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    let mut node = Running::start_with(earlier(0).path(), data.path());
    let stopped = (1..=TRIES).find(|generation| stops_half_way(&node, &crowd(*generation), *generation));
    let generation = stopped.expect("no seed was caught half-way");
    node.kill_everything();

    // The seed that was cut off did not count: the database still has the generation before.
    let before = if generation == 1 { earlier(0) } else { crowd(generation - 1) };
    let node = Running::start_with(before.path(), data.path());
    assert!(!status(&node).contains("generation"), "{}", status(&node));
    assert_eq!(reply(&node, &person(generation, PEOPLE), "half"), 550);
    assert_eq!(reply(&node, ADA.user, "before"), 250);
    await_message(&node, ADA, "before");
    node.stop();

    let node = Running::start_with(crowd(generation).path(), data.path());
    for number in [1, PEOPLE] {
        assert_eq!(reply(&node, &person(generation, number), "whole"), 250);
    }
    assert_eq!(reply(&node, ADA.user, "afterwards"), 250);
    await_message(&node, ADA, "afterwards");
    node.stop();
}

/// The office and twenty thousand people, different ones in each generation.
fn crowd(generation: u32) -> Site {
    let names = (1..=PEOPLE).map(|number| person(generation, number).replace("@example.org", "\n"));
    Site::small_office()
        .without_antivirus()
        .with(&format!("generation = {generation}, domains.\"example.org\".users_from = \"people.csv\""))
        .file_beside("people.csv", format!("name\n{}", names.collect::<String>()))
}

fn person(generation: u32, number: u32) -> String {
    format!("person{number}.of{generation}@example.org")
}

/// Gives the node a bundle and stops `directoryd` while it takes the users. False when that came too late; the node
/// then goes on with all of them.
fn stops_half_way(node: &Running, site: &Site, generation: u32) -> bool {
    let file = node.data().join("db/postkiln.sqlite");
    let log = node.data().join("db/postkiln.sqlite-wal");
    let database = Database::sqlite(&file);
    let known = || database.done("SELECT value FROM meta WHERE name = 'generation';").trim().to_owned();
    let _ = database.done("PRAGMA wal_checkpoint(TRUNCATE);");
    offer(node, site, generation);
    eventually(&format!("users are written\n{}", node.log()), Duration::from_secs(60), || {
        fs::metadata(&log).is_ok_and(|log| log.len() > 1 << 20).then_some(())
    });
    node.signal("directoryd", Signal::STOP);
    if known() != generation.to_string() {
        return true;
    }
    node.signal("directoryd", Signal::CONT);
    false
}

/// Compiles a site to `bundles/next` and tells the node.
fn offer(node: &Running, site: &Site, generation: u32) {
    let bundles = node.data().join("bundles");
    let name = format!("of-{generation}");
    let mut compile = Command::new(binary("postkiln"));
    compile.arg("compile").arg(site.path()).arg("-o").arg(bundles.join(&name));
    let _ = finish(&mut compile, Duration::from_secs(120)).success();
    let _ = fs::remove_file(bundles.join("next"));
    symlink(Path::new(&name), bundles.join("next")).unwrap();
    node.hang_up();
}
