//! Scanning with Debian's clamd and the signatures of the site alone, in `run` mode. In a network of its own: freshclam
//! must not find the world.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::time::Duration;

use postkiln_tests::clients::{ADA, await_message, count_messages, eicar, message, receive_from_outside};
use postkiln_tests::world::{inside, inside_for};
use postkiln_tests::{Running, Site, eventually};
use rustix::process::Signal;

const STRANGER: &str = "stranger@elsewhere.example";

fn send(node: &Running, subject: &str, text: &str) -> (u64, String) {
    let said = receive_from_outside(node, STRANGER, &[ADA.user], &message(STRANGER, ADA.user, subject, text));
    (said.code, said.text)
}

#[test]
fn a_virus_is_refused_and_clean_mail_is_not() {
    if !inside("a_virus_is_refused_and_clean_mail_is_not") {
        return;
    }
    let node = Running::start(Site::small_office().path());
    assert_eq!(send(&node, "clean", "nothing here").0, 250);
    await_message(&node, ADA, "clean");
    let (code, text) = send(&node, "eicar", &eicar());
    assert!((500..600).contains(&code), "{code} {text}");
    // The signature is in a base64 attachment within a multipart.
    let attached = format!(
        "Content-Type: multipart/mixed; boundary=b\nMIME-Version: 1.0\nFrom: {STRANGER}\nTo: {to}\nSubject: attached\n\n\
         --b\nContent-Type: text/plain\n\nsee below\n--b\nContent-Type: application/octet-stream; name=x.com\n\
         Content-Disposition: attachment; filename=x.com\nContent-Transfer-Encoding: base64\n\n{base64}\n--b--\n",
        to = ADA.user,
        base64 = base64(eicar().as_bytes()),
    );
    let said = receive_from_outside(&node, STRANGER, &[ADA.user], &attached);
    assert!((500..600).contains(&said.code), "{said:?}");
    assert_eq!(count_messages(&node, ADA, "eicar") + count_messages(&node, ADA, "attached"), 0);
    node.stop();
}

#[test]
fn while_the_scanner_is_down_nothing_passes_and_later_everything_does() {
    if !inside("while_the_scanner_is_down_nothing_passes_and_later_everything_does") {
        return;
    }
    let node = Running::start(Site::small_office().path());
    let mut deferred = 0;
    for round in 0..5 {
        node.signal("clamd", Signal::KILL);
        // `init` starts another clamd at once, so the message may be scanned by the new one. It must never pass
        // unscanned.
        let (code, text) = send(&node, &format!("round {round}"), &eicar());
        assert!((400..600).contains(&code), "round {round}: {code} {text}");
        deferred += u32::from(code < 500);
    }
    assert!(deferred > 0, "clamd was killed five times and never missed");
    eventually("mail is accepted again", Duration::from_secs(90), || {
        (send(&node, "later", "again").0 == 250).then_some(())
    });
    await_message(&node, ADA, "later");
    assert_eq!(count_messages(&node, ADA, "round"), 0);
    node.stop();
}

#[test]
fn a_scanner_that_hangs_defers() {
    if !inside_for("a_scanner_that_hangs_defers", Duration::from_secs(600)) {
        return;
    }
    let node = Running::start(Site::small_office().path());
    // A stopped clamd takes connections and answers nothing; the limit for a scan is three minutes.
    node.signal("clamd", Signal::STOP);
    let (code, text) = send(&node, "hanging", "while it sleeps");
    assert!((400..500).contains(&code), "{code} {text}");
    node.signal("clamd", Signal::CONT);
    eventually("mail is accepted again", Duration::from_secs(60), || {
        (send(&node, "awake", "again").0 == 250).then_some(())
    });
    await_message(&node, ADA, "awake");
    assert_eq!(count_messages(&node, ADA, "hanging"), 0);
    node.stop();
}

#[test]
fn without_signatures_mail_is_deferred_and_status_says_why() {
    if !inside("without_signatures_mail_is_deferred_and_status_says_why") {
        return;
    }
    let node = Running::start(Site::small_office().without_signatures().path());
    let (code, text) = send(&node, "unscanned", "hello");
    assert!((400..500).contains(&code), "{code} {text}");
    let mut status = std::process::Command::new(postkiln_tests::binary("postkiln"));
    status.arg("status").arg("--data").arg(node.data());
    let shown = postkiln_tests::finish(&mut status, Duration::from_secs(20));
    assert!(shown.code() == 1 && shown.output.contains("signatures"), "{shown:?}");
    node.stop();
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        (0..4_usize)
            .map(
                |place| {
                    if place > chunk.len() { '=' } else { LETTERS[(bits >> (18 - 6 * place)) as usize & 63] as char }
                },
            )
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
