//! A list of very many members on a running node: its posts are kept, listed and survive, and nobody else notices.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::process::Command;
use std::time::Duration;

use postkiln_tests::clients::{ADA, message, receive_from_outside, submit};
use postkiln_tests::{Running, Site, binary, eventually, finish};

const MEMBERS: usize = 40_000;
const LIST: &str = "crowd@example.org";

/// Mail for a host outside waits (`concurrencyremote` 0), so that the queue stays as it is.
fn crowd() -> Site {
    let members: String = (0..MEMBERS).map(|n| format!("reader-{n:05}@elsewhere.example\n")).collect();
    Site::small_office()
        .without_antivirus()
        .file_beside("crowd.txt", members)
        .with("domains.\"example.org\".lists.crowd = { members_from = \"crowd.txt\", post = 'anyone }")
        .with("control.concurrencyremote | force = 0")
}

fn queue(node: &Running, json: bool) -> String {
    let mut queue = Command::new(binary("postkiln"));
    queue.arg("queue").arg(node.data()).args(json.then_some("--json"));
    finish(&mut queue, Duration::from_secs(30)).success().output
}

/// Recipients that wait, of each message in the queue.
fn waiting(node: &Running) -> Vec<usize> {
    let value: serde_json::Value = serde_json::from_str(&queue(node, true)).unwrap();
    let count = |message: &serde_json::Value| message["waiting"].as_array().unwrap().len();
    let mut waiting: Vec<usize> = value["queue"].as_array().unwrap().iter().map(count).collect();
    waiting.sort_unstable();
    waiting
}

#[test]
fn forty_thousand_members_get_a_post_and_everybody_sees_the_queue() {
    let node = Running::start(crowd().path());
    let friend = "friend@elsewhere.example";
    assert_eq!(submit(&node, "submissions", ADA, &[friend], &message(ADA.user, friend, "one", "hi")).code, 250);
    assert_eq!(receive_from_outside(&node, friend, &[LIST], &message(friend, LIST, "all", "news")).code, 250);
    let limit = Duration::from_secs(60);
    eventually(&format!("the post is in the queue\n{}", node.log()), limit, || {
        (waiting(&node) == [1, MEMBERS]).then_some(())
    });
    let text = queue(&node, false);
    assert_eq!(text.lines().filter(|line| line.starts_with("    to ")).count(), 1 + MEMBERS);
    node.kill_and_see_it_return("queued");
    eventually("queued has read its queue", limit, || (waiting(&node) == [1, MEMBERS]).then_some(()));
    node.stop();
}
