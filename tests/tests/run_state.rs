//! `postkiln status` tells the truth: about disks that are full, read-only or gone, and about a service that does not
//! stay; and a log that nobody reads holds up nobody. Needs root for mounts of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::io::Read;
use std::time::Duration;

use postkiln_operation::log::{Event, Line};
use postkiln_operation::status::{Defect, State, Status};
use postkiln_tests::clients::{ALAN, GRACE, Lines, await_message, message, submit};
use postkiln_tests::{Ended, Running, Site, binary, eventually, finish};

const LIMIT: Duration = Duration::from_secs(60);

fn site() -> Site {
    Site::small_office().without_antivirus()
}

/// The answer of `postkiln status`, asked among the node's mounts.
fn status(node: &Running, options: &str) -> Ended {
    node.inside(&format!("exec {} status --data \"$DATA\" {options}", binary("postkiln").display()))
}

fn run(node: &Running, line: &str) {
    let _ = node.inside(line).success();
}

fn await_status(node: &Running, what: &str, is_wanted: impl Fn(&Ended) -> bool) -> String {
    eventually(what, LIMIT, || Some(status(node, "")).filter(&is_wanted)).output
}

fn state(node: &Running) -> Status {
    serde_json::from_str(&status(node, "--json").output).expect("the status as JSON")
}

#[test]
fn a_full_or_read_only_disk_is_no_ready_node() {
    let mounts = "mount -t tmpfs -o size=256m none \"$DATA\"; mkdir \"$DATA/queue\"; mount -t tmpfs -o size=32m none \"$DATA/queue\"";
    let node = Running::start_mounted(site().path(), mounts);
    await_status(&node, "all is well", |said| said.code() == 0 && said.output.contains("is ready"));

    run(&node, "head -c 31M /dev/zero > \"$DATA/queue/filler\"");
    let text = await_status(&node, "the queue is full", |said| said.code() == 1);
    for part in
        ["is not ready", "queued       impaired", "queue/ is full since", "queued cannot write there", "make room"]
    {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    node.await_log(&["event=impaired", "directory=queue", "is full"], LIMIT);
    run(&node, "rm \"$DATA/queue/filler\"");
    await_status(&node, "there is room again", |said| said.code() == 0);
    node.await_log(&["event=restored", "directory=queue"], LIMIT);

    // Files that are open for writing forbid to change the mount that they are on.
    run(&node, "mount --bind \"$DATA/queue\" \"$DATA/queue\"; mount -o remount,ro,bind \"$DATA/queue\"");
    let text = await_status(&node, "the queue is read-only", |said| said.code() == 1);
    assert!(text.contains("queue/ is read-only since"), "{text}");
    run(&node, "umount \"$DATA/queue\"");
    await_status(&node, "the queue is writable again", |said| said.code() == 0);

    // The state itself finds no room on the disk now.
    run(&node, "dd if=/dev/zero of=\"$DATA/filler\" bs=64k || true");
    await_status(&node, "everything is full", |said| said.code() == 1);
    let full = state(&node);
    let found: Vec<_> = full.troubles.iter().map(|trouble| (trouble.directory.as_str(), &trouble.defect)).collect();
    assert!(found.contains(&("db", &Defect::Full)) && found.contains(&("mail", &Defect::Full)), "{found:?}");
    assert!(!full.ready && full.services.iter().any(|service| service.state == State::Impaired), "{full:?}");
    run(&node, "rm \"$DATA/filler\"");
    await_status(&node, "there is room again", |said| said.code() == 0);

    run(&node, "mv \"$DATA/robots\" \"$DATA/elsewhere\"");
    let text = await_status(&node, "a directory is gone", |said| said.code() == 1);
    assert!(text.contains("robots/ is missing since"), "{text}");
    run(&node, "mv \"$DATA/elsewhere\" \"$DATA/robots\"");
    await_status(&node, "the directory is back", |said| said.code() == 0);
}

#[test]
fn an_entry_of_the_queue_that_cannot_be_used_is_in_the_status_and_needs_no_restart() {
    // The remains of a message that nobody was promised are removed, but a mount point cannot be.
    let mounts = "mkdir -p \"$DATA/queue/messages\"; echo x > \"$DATA/queue/messages/0a\"; \\
        mount --bind \"$DATA/queue/messages/0a\" \"$DATA/queue/messages/0a\"";
    let node = Running::start_mounted(site().path(), mounts);
    let text = await_status(&node, "the entry is in the status", |said| said.code() == 1);
    assert!(text.contains("queue/messages/0a cannot be used: "), "{text}");
    run(&node, "umount \"$DATA/queue/messages/0a\"");
    await_status(&node, "the entry was looked at again", |said| said.code() == 0);
    node.await_log(&["event=forgotten", "queue=0a"], LIMIT);
    node.stop();
}

/// FIFOs stand for files on a disk that does not answer: opening one waits for a writer.
#[test]
fn files_that_hang_hold_up_nobody() {
    let node = Running::start(site().path());
    let bundle = std::fs::canonicalize(node.data().join("bundles/active")).unwrap();
    let part = node.data().join("parts/local").join(bundle.file_name().unwrap());
    let list = part.join("lists/example.org/announce/list.json");
    std::fs::remove_file(&list).unwrap();
    mkfifo(&list);
    let post = message(GRACE.user, "announce@example.org", "post", "hello");
    assert_eq!(submit(&node, "submission", GRACE, &["announce@example.org"], &post).code, 250);
    let mail = message(GRACE.user, ALAN.user, "not held up", "hello");
    assert_eq!(submit(&node, "submission", GRACE, &[ALAN.user], &mail).code, 250);
    let _ = await_message(&node, ALAN, "not held up");

    let next = node.data().join("bundles/hanging");
    std::fs::create_dir(&next).unwrap();
    mkfifo(&next.join("manifest.json"));
    std::os::unix::fs::symlink("hanging", node.data().join("bundles/next")).unwrap();
    node.hang_up();
    node.kill_and_see_it_return("pop3d");
    await_status(&node, "all roles are there", |said| said.output.contains("is ready"));
}

fn mkfifo(path: &std::path::Path) {
    let mut command = std::process::Command::new("mkfifo");
    let _ = finish(command.arg(path), LIMIT).success();
}

#[test]
fn a_log_that_nobody_reads_holds_up_no_mail() {
    let (node, mut log) = Running::start_unheard(site().path());
    // A pipe holds 64 KiB; each message is logged by three roles with its sender.
    let sender = format!("a@{}.example", ["x".repeat(60).as_str(); 3].join("."));
    let mut client = Lines::connect(node.port("smtp"));
    client.ask("EHLO client.example");
    for number in 0..MESSAGES {
        assert!(client.ask(&format!("MAIL FROM:<{sender}>")).starts_with("250"), "{number}");
        assert!(client.ask("RCPT TO:<alan@example.org>").starts_with("250"), "{number}");
        assert!(client.ask("DATA").starts_with("354"), "{number}");
        assert!(client.ask(&format!("Subject: {number}\r\n\r\ntext\r\n.")).starts_with("250"), "{number}");
    }
    eventually("all mail is delivered", LIMIT, || (mails(&node.data().join("mail")) == MESSAGES).then_some(()));
    let data = node.data().to_owned();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    node.stop();
    assert!(!data.exists(), "the data directory was the test's own");
    let text = reading.join().unwrap().unwrap();
    let delivered = text.lines().filter_map(Line::parse).filter(|line| line.event == Event::Delivered).count();
    assert_eq!(delivered, MESSAGES, "all lines were kept");
    assert!(text.len() > 2 * (64 << 10), "{} octets would not fill the pipe", text.len());
}

/// The messages in all mailboxes below a directory.
fn mails(directory: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let entries = entries.flatten().map(|entry| entry.path());
    entries
        .map(|path| match path.file_name().and_then(|name| name.to_str()) {
            Some("new") => std::fs::read_dir(&path).map_or(0, Iterator::count),
            _ if path.is_dir() => mails(&path),
            _ => 0,
        })
        .sum()
}

const MESSAGES: usize = 150;
