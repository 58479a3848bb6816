//! Mail to others in `run` mode: by route, by MX through a real name server, and the notices about mail that cannot be
//! delivered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::time::Duration;

use postkiln_tests::clients::{ADA, DOROTHY, await_message, count_messages, message, receive_from_outside, submit};
use postkiln_tests::world::{NameServer, inside};
use postkiln_tests::{Running, Sink, Site, Verdict};

const FRIEND: &str = "friend@elsewhere.example";

fn office(fields: &str) -> Site {
    Site::small_office().without_antivirus().with(fields)
}

/// A node whose mail for elsewhere.example goes to this sink.
fn routed(sink: &Sink) -> Running {
    let fields = format!("control.smtproutes | force = [\"elsewhere.example:127.0.0.1:{}\"]", sink.port());
    Running::start(office(&fields).path())
}

fn send(node: &Running, to: &str, subject: &str) {
    let said = submit(node, "submissions", ADA, &[to], &message(ADA.user, to, subject, "hello\n.\n..dots\nover there"));
    assert_eq!(said.code, 250, "{said:?}");
}

#[test]
fn mail_leaves_by_the_route_the_site_names() {
    let sink = Sink::listen("127.0.0.1:0", Verdict::Accept);
    let node = routed(&sink);
    send(&node, FRIEND, "by route");
    let got = sink.next(Duration::from_secs(30));
    assert_eq!((got.from.as_str(), got.to.as_slice()), (ADA.user, &[FRIEND.to_owned()][..]));
    assert!(got.content.contains("Subject: by route\r\n"), "{}", got.content);
    assert!(got.content.ends_with("hello\r\n.\r\n..dots\r\nover there\r\n"), "{:?}", got.content);
    assert!(sink.already().is_none(), "once");
    node.stop();
}

#[test]
fn a_forward_leaves_and_the_copy_stays() {
    let sink = Sink::listen("127.0.0.1:0", Verdict::Accept);
    let fields = format!("control.smtproutes | force = [\":127.0.0.1:{}\"]", sink.port());
    let node = Running::start(office(&fields).path());
    let text = message(FRIEND, DOROTHY.user, "to be forwarded", "hello");
    assert_eq!(receive_from_outside(&node, FRIEND, &[DOROTHY.user], &text).code, 250);
    let got = sink.next(Duration::from_secs(30));
    assert_eq!(got.to, ["dorothy@langley.example"]);
    await_message(&node, DOROTHY, "to be forwarded");
    node.stop();
}

#[test]
fn a_refusal_comes_back_as_a_notice() {
    let sink = Sink::listen("127.0.0.1:0", Verdict::Refuse);
    let node = routed(&sink);
    send(&node, FRIEND, "refused there");
    let notice = await_message(&node, ADA, "failure notice");
    for piece in ["Return-Path: <>", FRIEND, "550", "nobody of that name", "multipart/report", "Hi. This is the"] {
        assert!(notice.contains(piece), "{piece:?} is missing in\n{notice}");
    }
    assert!(notice.contains("Subject: refused there"), "the original is shown\n{notice}");
    node.stop();
}

#[test]
fn a_deferral_waits_in_the_queue() {
    let sink = Sink::listen("127.0.0.1:0", Verdict::Defer);
    let node = routed(&sink);
    send(&node, FRIEND, "not now");
    node.await_log(&["deferr"], Duration::from_secs(30));
    let mut queue = std::process::Command::new(postkiln_tests::binary("postkiln"));
    queue.arg("queue").arg("--data").arg(node.data());
    let listing = postkiln_tests::finish(&mut queue, Duration::from_secs(20)).success().output;
    assert!(listing.contains(FRIEND) && listing.contains("451"), "{listing}");
    assert_eq!(count_messages(&node, ADA, "failure notice"), 0);
    node.stop();
}

#[test]
fn mail_leaves_by_mx() {
    if !inside("mail_leaves_by_mx") {
        return;
    }
    let _names = NameServer::start(&[
        "--mx-host=elsewhere.example,dead.elsewhere.example,5",
        "--mx-host=elsewhere.example,mx.elsewhere.example,10",
        "--host-record=dead.elsewhere.example,127.0.0.3",
        "--host-record=mx.elsewhere.example,127.0.0.2",
        "--host-record=bare.example,127.0.0.2",
    ]);
    let sink = Sink::listen("127.0.0.2:25", Verdict::Accept);
    let node = Running::start(office("appliance.resolvers | force = [\"127.0.0.1\"]").path());
    // The better exchanger does not answer, so the next one is tried (RFC 5321 §5.1).
    send(&node, FRIEND, "by mx");
    assert_eq!(sink.next(Duration::from_secs(60)).to, [FRIEND]);
    // Without an MX, the address of the domain itself is used.
    send(&node, "someone@bare.example", "by address");
    assert_eq!(sink.next(Duration::from_secs(60)).to, ["someone@bare.example"]);
    node.stop();
}

#[test]
fn mail_for_a_domain_that_is_not_comes_back() {
    if !inside("mail_for_a_domain_that_is_not_comes_back") {
        return;
    }
    let _names = NameServer::start(&[]);
    let node = Running::start(office("appliance.resolvers | force = [\"127.0.0.1:53\"]").path());
    send(&node, "someone@nowhere.example", "to nowhere");
    let notice = await_message(&node, ADA, "failure notice");
    assert!(notice.contains("nowhere.example"), "{notice}");
    node.stop();
}

#[test]
fn a_silent_resolver_defers() {
    if !inside("a_silent_resolver_defers") {
        return;
    }
    let node = Running::start(office("appliance.resolvers | force = [\"127.0.0.1:53\"]").path());
    send(&node, "someone@nowhere.example", "nobody knows");
    node.await_log(&["deferr"], Duration::from_secs(90));
    assert_eq!(count_messages(&node, ADA, "failure notice"), 0);
    node.stop();
}
