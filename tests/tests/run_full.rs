//! `examples/full` runs, scanner and all, and lets each person do exactly what it says. In a network of its own:
//! freshclam must not find the world.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;

use postkiln_tests::clients::Login;
use postkiln_tests::world::inside;
use postkiln_tests::{Running, Site};

#[test]
fn each_person_may_do_what_the_site_says() {
    if !inside("each_person_may_do_what_the_site_says") {
        return;
    }
    let site = Site::example("full");
    welcome_strangers(&site);
    let node = Running::start(site.path());
    // The people: an administrator; a member of the club, where POP3 and submission are denied; one who may only send.
    for (user, steps) in [
        ("ada@example.org", ["login on port 465: as", "submitted mail over IMAP", "received mail over POP3"]),
        ("sofya@club.example", ["login on port 465 is refused", "received mail over IMAP", "POP3 is refused"]),
        ("joan@example.org", ["submission by port 587: 250", "IMAP is refused", "POP3 is refused"]),
    ] {
        let said = node.accept(site.path(), Login { user, password: "postkiln" }).success().output;
        for step in steps {
            assert!(said.contains(step), "{user}: no {step:?} in\n{said}");
        }
        assert!(said.contains("a virus is refused: 554"), "{said}");
    }
    node.stop();
}

/// Takes greylisting out: mail from outside would have to come again after minutes. `run_greylisting` meets it.
fn welcome_strangers(site: &Site) {
    let path = site.path().join("smtp.ncl");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("  greylisting = {").expect("the example has greylisting");
    let (_, after) = rest.split_once("  },\n").expect("a record ends");
    fs::write(&path, format!("{before}{after}")).unwrap();
}
