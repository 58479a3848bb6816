//! Secrets that reach a node in `run` mode: they work, each for its purpose, and are seen nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::clients::{Login, await_message, message, receive_from_outside};
use postkiln_tests::{Keeper, Running, Site, check_unseen, finish, status};

const STRANGER: &str = "stranger@elsewhere.example";
/// Nothing else on a machine reads like this.
const FIRST: Login = Login { user: "emmy@example.org", password: "noether-7f3a91c2e5" };
const SECOND: Login = Login { user: "emmy@example.org", password: "noether-b08d44aa19" };

/// The office with a user whose password is a secret.
fn office() -> Keeper {
    let emmy = "domains.\"example.org\".users.emmy = { password.secret = \"emmy\" }";
    Keeper::of(Site::small_office().without_antivirus().with(emmy))
}

/// Mail arrives, and the person reads it with this password.
fn check_works(node: &Running, login: Login, subject: &str) {
    let text = message(STRANGER, login.user, subject, "hello");
    assert_eq!(receive_from_outside(node, STRANGER, &[login.user], &text).code, 250);
    await_message(node, login, subject);
}

#[test]
fn a_password_that_is_a_secret_lets_its_owner_in_and_is_seen_nowhere() {
    let keeper = office();
    keeper.set("emmy", FIRST.password);
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    let node = keeper.run(data.path());
    assert!(!node.log().contains("W0301") && node.log().contains("secrets-delivered"), "{}", node.log());
    check_works(&node, FIRST, "first");
    check_unseen(&node, FIRST.password);
    // A delivered secret outlives the process that it was delivered to.
    node.kill_and_see_it_return("keyd");
    node.kill_and_see_it_return("directoryd");
    check_works(&node, FIRST, "again");
    node.stop();

    // Nobody hands it over again: the node has it.
    let node = keeper.run_without(data.path());
    let said = node.log();
    assert!(said.contains("no identity at") && said.contains("the password of emmy@example.org"), "{said}");
    check_works(&node, FIRST, "kept");
    node.stop();
}

#[test]
fn a_rotated_password_works_when_it_is_delivered_and_the_old_one_no_more() {
    let keeper = office();
    keeper.set("emmy", FIRST.password);
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    keeper.run(data.path()).stop();
    keeper.set("emmy", SECOND.password);
    let node = keeper.run_without(data.path());
    assert!(status(&node).contains("the password of emmy@example.org was not delivered"), "{}", status(&node));
    node.stop();
    let node = keeper.run(data.path());
    check_works(&node, SECOND, "second");
    check_unseen(&node, SECOND.password);
    node.stop();
}

#[test]
fn secrets_that_nothing_uses_yet_are_kept_and_seen_nowhere() {
    let fields = "domains.\"example.org\".dkim = { secret = \"dkim\" }, \
                  storage.database | force = 'mariadb { host = \"db.example.net\", password.secret = \"database\" }";
    let keeper = Keeper::of(Site::small_office().without_antivirus().with(fields));
    let mut openssl = Command::new("openssl");
    let key =
        finish(openssl.args(["genpkey", "-quiet", "-algorithm", "RSA"]), Duration::from_secs(60)).success().output;
    let line = key.lines().nth(3).unwrap();
    keeper.set("dkim", &key);
    keeper.set("database", SECOND.password);
    let data = tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap();
    let node = keeper.run(data.path());
    node.await_log(&["event=secrets-delivered", "secrets=2"], Duration::from_secs(30));
    node.kill_and_see_it_return("keyd");
    check_unseen(&node, line);
    check_unseen(&node, SECOND.password);
    node.stop();
}

#[test]
fn a_person_without_an_identity_is_told_what_to_do_first() {
    let keeper = office();
    fs::remove_file(keeper.identity()).unwrap();
    let ended = keeper.secret(&["set"], &["emmy"], "x");
    assert!(
        ended.errors.contains("postkiln secret identity") && ended.errors.contains("recipients"),
        "{}",
        ended.errors
    );
    fs::remove_file(keeper.site().join("secrets.age")).unwrap();
    let ended = keeper.secret(&["set"], &["emmy"], "x");
    assert!(ended.errors.contains("postkiln secret init"), "{}", ended.errors);
}
