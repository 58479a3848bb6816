//! Receiving and reading mail in `run` mode with `examples/small-office`, by Python's clients and mutt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::clients::{
    self, ADA, ALAN, GRACE, Login, await_message, count_messages, message, python, receive_from_outside, submit,
};
use postkiln_tests::{Running, Site, binary, eventually, finish};

const STRANGER: &str = "stranger@elsewhere.example";

fn office() -> Running {
    Running::start(Site::small_office().without_antivirus().path())
}

/// Sends from outside to `to`, and checks that `reader` finds the message by its subject.
fn check_delivery(node: &Running, to: &str, reader: Login, subject: &str) -> String {
    let said = receive_from_outside(node, STRANGER, &[to], &message(STRANGER, to, subject, "hello"));
    assert_eq!(said.code, 250, "to {to}: {said:?}");
    let found = await_message(node, reader, subject);
    assert!(found.contains("hello"), "{found}");
    found
}

#[test]
fn mail_for_ours_reaches_its_mailbox() {
    let node = office();
    let found = check_delivery(&node, "ada@example.org", ADA, "to the user");
    // The lines are those of RFC 5321 §4.4 and of qmail.
    assert!(found.starts_with("Return-Path: <stranger@elsewhere.example>"), "{found}");
    assert!(found.contains("Delivered-To: ada@example.org"), "{found}");
    assert!(found.contains("Received: from"), "{found}");
    check_delivery(&node, "countess@example.org", ADA, "to an alias of a user");
    check_delivery(&node, "ADA@Example.ORG", ADA, "in capitals");
    check_delivery(&node, "ada@example.net", ADA, "to the alias domain");
    check_delivery(&node, "postmaster@example.org", ADA, "to the postmaster");
    check_delivery(&node, "sales@example.org", GRACE, "to an alias of several, one");
    assert_eq!(count_messages(&node, ADA, "to an alias of several"), 1);
    node.stop();
}

#[test]
fn strangers_neither_relay_nor_reach_nobody() {
    let node = office();
    for to in ["someone@third.example", "ada%third.example@example.com", "@example.org:someone@third.example"] {
        let said = receive_from_outside(&node, STRANGER, &[to], &message(STRANGER, to, "relay", "no"));
        assert!((500..600).contains(&said.code), "{to}: {said:?}");
    }
    let to = "nobody-of-that-name@example.org";
    let said = receive_from_outside(&node, STRANGER, &[to], &message(STRANGER, to, "nobody", "no"));
    assert!((500..600).contains(&said.code), "{said:?}");
    // The site's catch-all refuses; a good recipient beside the bad one is served.
    let said = receive_from_outside(&node, STRANGER, &[to, "ada@example.org"], &message(STRANGER, to, "two", "yes"));
    assert_eq!((said.code, said.refused.get(to).is_some()), (250, true), "{said:?}");
    await_message(&node, ADA, "two");
    // Port 587 takes nothing from strangers, not even mail for our users.
    let mut client = clients::Lines::connect(node.port("submission"));
    client.expect("EHLO client.example", "250");
    client.expect(&format!("MAIL FROM:<{STRANGER}>"), "530");
    node.stop();
}

#[test]
fn people_submit_on_587_and_465() {
    let node = office();
    for listener in ["submission", "submissions"] {
        let subject = format!("by {listener}");
        let said = submit(
            &node,
            listener,
            ADA,
            &["grace@example.org"],
            &message("ada@example.org", "grace@example.org", &subject, "hello"),
        );
        assert_eq!(said.code, 250, "{said:?}");
        await_message(&node, GRACE, &subject);
    }
    let wrong = Login { user: ADA.user, password: "wrong" };
    assert_eq!(submit(&node, "submissions", wrong, &["grace@example.org"], "").code, 535);
    // A password must not be sent before TLS (RFC 4954 §4).
    let mut client = clients::Lines::connect(node.port("submission"));
    let offered = client.expect("EHLO client.example", "250");
    assert!(offered.contains("STARTTLS") && !offered.contains("AUTH"), "{offered}");
    let refused = client.ask("AUTH PLAIN AGFkYQBhZGE=");
    assert!(refused.starts_with('5'), "{refused}");
    node.stop();
}

#[test]
fn a_list_takes_posts_of_those_who_may() {
    let node = office();
    let post = |login: Login, subject: &str| {
        submit(
            &node,
            "submissions",
            login,
            &["announce@example.org"],
            &message(login.user, "announce@example.org", subject, "news"),
        )
    };
    assert_eq!(post(GRACE, "from the moderator").code, 250);
    let found = await_message(&node, ADA, "from the moderator");
    assert!(found.contains("Mailing-List:") || found.contains("List-Id:"), "{found}");
    assert!(!found.contains("Return-Path: <grace@"), "bounces of a list are not its poster's\n{found}");
    // ezmlm refuses a post by somebody who may not post: the sender learns it at once or by a notice.
    let said = post(ALAN, "from somebody else");
    if said.code == 250 {
        await_message(&node, ALAN, "failure notice");
    }
    assert_eq!(count_messages(&node, ADA, "from somebody else"), 0);
    node.stop();
}

#[test]
fn an_autoresponder_answers_once() {
    let node = office();
    for word in ["first", "second"] {
        let said = submit(
            &node,
            "submissions",
            ALAN,
            &["info@example.org"],
            &message(ALAN.user, "info@example.org", word, "?"),
        );
        assert_eq!(said.code, 250, "{said:?}");
    }
    let found = await_message(&node, ALAN, "We got your mail");
    assert!(found.to_lowercase().contains("auto-submitted: auto-replied"), "{found}");
    assert!(found.contains("Return-Path: <>"), "{found}");
    // The second message is done when it has left the queue.
    eventually("the queue is empty", Duration::from_secs(30), || queue_is_empty(&node).then_some(()));
    assert_eq!(count_messages(&node, ALAN, "We got your mail"), 1, "once per sender and period");
    node.stop();
}

fn queue_is_empty(node: &Running) -> bool {
    let mut queue = Command::new(binary("postkiln"));
    queue.arg("queue").arg("--data").arg(node.data()).arg("--json");
    let ended = finish(&mut queue, Duration::from_secs(20)).success();
    let value: serde_json::Value = serde_json::from_str(&ended.output).unwrap();
    value["queue"].as_array().expect("a list").is_empty()
}

#[test]
fn a_day_with_imaplib() {
    let node = office();
    for word in ["one", "two", "three"] {
        let text = message(STRANGER, "ada@example.org", &format!("day {word}"), &format!("text {word}"));
        assert_eq!(receive_from_outside(&node, STRANGER, &["ada@example.org"], &text).code, 250);
    }
    for word in ["one", "two", "three"] {
        await_message(&node, ADA, &format!("day {word}"));
    }
    let (tls, plain) = (node.port("imaps").to_string(), node.port("imap").to_string());
    python("imap_day.py", &[&tls, &plain, ADA.user, ADA.password], "");
    node.stop();
}

#[test]
fn mutt_reads_flags_moves_and_deletes() {
    let node = office();
    for word in ["keep", "move", "drop"] {
        check_delivery(&node, "ada@example.org", ADA, &format!("mutt {word}"));
    }
    let home = tempfile::tempdir().unwrap();
    let folder = format!("imaps://127.0.0.1:{}/", node.port("imaps"));
    // mutt in batch mode: keys are pushed, the last one leaves. A certificate that nobody signed is accepted by its
    // fingerprint file.
    let settings = format!(
        "set imap_user='{user}' imap_pass='{password}' folder='{folder}' spoolfile='{folder}INBOX'\n\
         set ssl_verify_host=no ssl_verify_dates=no certificate_file='{home}/certificates' ssl_starttls=no\n\
         set quit=yes delete=yes confirmappend=no confirmcreate=no move=no mark_old=no wait_key=no editor=true\n\
         set header_cache='' sleep_time=0 imap_check_subscribed=no record='' postponed=''\n\
         push '<limit>all<enter><limit>~s mutt.move<enter><flag-message><save-message>{folder}Kept<enter><limit>~s mutt.drop<enter><delete-message><limit>~s mutt.keep<enter><flag-message><limit>all<enter><sync-mailbox><quit>'\n",
        user = ADA.user,
        password = ADA.password,
        home = home.path().display(),
    );
    fs::write(home.path().join("muttrc"), settings).unwrap();
    trust(&node, &home.path().join("certificates"));
    let mut mutt = Command::new("timeout");
    mutt.args(["60", "script", "--quiet", "--return", "/dev/null", "--command"])
        .arg(format!("mutt -n -F {0}/muttrc", home.path().display()))
        .env("HOME", home.path())
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::null());
    let ended = finish(&mut mutt, Duration::from_secs(90));
    assert_eq!(count_messages(&node, ADA, "mutt drop"), 0, "{ended:?}");
    assert_eq!(count_messages(&node, ADA, "mutt move"), 0, "{ended:?}");
    assert_eq!(count_messages(&node, ADA, "mutt keep"), 1, "{ended:?}");
    node.stop();
}

/// Puts the node's certificate where mutt looks for those a person has accepted.
fn trust(node: &Running, file: &std::path::Path) {
    let script = "import ssl,sys; print(ssl.get_server_certificate(('127.0.0.1', int(sys.argv[1]))))";
    let port = node.port("imaps").to_string();
    let ended = finish(Command::new("python3").args(["-c", script, &port]), Duration::from_secs(20)).success();
    fs::write(file, ended.output).unwrap();
}

#[test]
fn poplib_reads_and_deletes() {
    let node = office();
    check_delivery(&node, "ada@example.org", ADA, "by pop");
    check_delivery(&node, "ada@example.org", ADA, "stays");
    let (tls, plain) = (node.port("pop3s").to_string(), node.port("pop3").to_string());
    let said = python("pop3.py", &[&tls, &plain, ADA.user, ADA.password, "by pop"], "");
    assert!(said["message"].as_str().unwrap().contains("hello"));
    assert_eq!(count_messages(&node, ADA, "by pop"), 0, "POP3 deleted it");
    assert_eq!(count_messages(&node, ADA, "stays"), 1);
    node.stop();
}

#[test]
fn status_and_queue_answer() {
    let node = office();
    let mut status = Command::new(binary("postkiln"));
    status.arg("status").arg("--data").arg(node.data());
    let ended = finish(&mut status, Duration::from_secs(20)).success();
    for role in ["smtpd", "queued", "local", "remote", "imapd", "pop3d", "directoryd", "keyd", "policyd", "controld"] {
        assert!(ended.output.contains(role), "{}", ended.output);
    }
    assert!(queue_is_empty(&node));
    node.stop();
}

#[test]
fn acceptance_passes_on_what_works_and_fails_on_what_does_not() {
    let site = Site::small_office().without_antivirus();
    let node = Running::start(site.path());
    let good = node.accept(site.path(), ADA);
    assert_eq!(good.code(), 0, "{}{}", good.output, good.errors);
    assert_eq!(count_messages(&node, ADA, "postkiln test"), 0, "the probes are gone");
    let bad = node.accept(site.path(), Login { user: ADA.user, password: "wrong" });
    assert_eq!(bad.code(), 1, "{}{}", bad.output, bad.errors);
    node.stop();
}

/// `postkiln run` without `--data` keeps a site's data in a place that follows from the host name; the commands for
/// operators find it by the site.
#[test]
fn operators_name_the_site_or_the_directory() {
    let state = tempfile::tempdir().unwrap();
    let site = Site::example("minimal");
    let data = state.path().join("postkiln/mail.example.org");
    fs::create_dir_all(&data).unwrap();
    let node = Running::start_with(site.path(), &data);
    let ask = |command: &str, place: &std::path::Path| {
        let mut postkiln = Command::new(binary("postkiln"));
        postkiln.arg(command).arg(place).env("XDG_STATE_HOME", state.path());
        finish(&mut postkiln, Duration::from_secs(20))
    };
    for place in [site.path().to_owned(), site.path().join("site.ncl"), data.clone()] {
        // Where no scanner is installed not all is well.
        let status = ask("status", &place).output;
        assert!(status.contains("smtpd") && status.contains("ready"), "{}: {status}", place.display());
        let queue = ask("queue", &place).success().output;
        assert!(queue.contains("empty"), "{}: {queue}", place.display());
    }
    assert_eq!(ask("status", state.path()).code(), 4, "neither a site nor a node's directory");
    node.stop();
    assert_eq!(ask("queue", site.path()).code(), 4, "no node answers any more");
}
