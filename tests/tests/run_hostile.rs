//! SMTP input that no decent client sends is answered or cut off, within limits, and the node goes on. In `run` mode.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use postkiln_tests::clients::{ADA, Lines, await_message, count_messages, message, receive_from_outside};
use postkiln_tests::{Running, Site, lines_of};
use rustix::process::Signal;

const STRANGER: &str = "stranger@elsewhere.example";

fn office() -> Running {
    Running::start(Site::small_office().without_antivirus().path())
}

fn in_data(node: &Running) -> Lines {
    let mut client = Lines::connect(node.port("smtp"));
    client.expect("EHLO client.example", "250");
    client.expect(&format!("MAIL FROM:<{STRANGER}>"), "250");
    client.expect("RCPT TO:<ada@example.org>", "250");
    client.expect("DATA", "354");
    client
}

/// Checks that the node still serves, and that no role died on the way.
fn check_it_goes_on(node: &Running, before: &[postkiln_tests::Service]) {
    assert_eq!(node.services(), before, "a process was lost\n{}", node.log());
    let text = message(STRANGER, ADA.user, "goes on", "hello");
    assert_eq!(receive_from_outside(node, STRANGER, &[ADA.user], &text).code, 250);
    await_message(node, ADA, "goes on");
}

/// Whether a reply is of class 4 or 5, or the connection was closed.
fn is_refusal(reply: &str) -> bool {
    reply.is_empty() || reply.starts_with(['4', '5'])
}

/// Resident memory of a role in KiB.
fn resident(node: &Running, role: &str) -> u64 {
    let pid = node.service(role).expect("it runs").pid;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_bare_line_feed_smuggles_nothing() {
    let node = office();
    let before = node.services();
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r"] {
        let mut client = in_data(&node);
        let smuggled = format!(
            "Subject: outer\r\n\r\ntext{end}MAIL FROM:<{STRANGER}>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
        );
        client.say(smuggled);
        // The client gets one reply for one message, accepted or refused, and never two.
        let first = client.reply();
        client.say("NOOP\r\n");
        let second = client.reply();
        // qmail's own answer is 451: a sender that does this by mistake keeps the message.
        assert!(first.starts_with("250") || is_refusal(&first), "{end:?}: {first:?}");
        assert!(!second.starts_with("250 2.1.0") && !second.starts_with("354"), "{end:?}: {second:?}");
    }
    check_it_goes_on(&node, &before);
    assert_eq!(count_messages(&node, ADA, "smuggled"), 0);
    node.stop();
}

#[test]
fn bare_line_feeds_in_commands_are_refused() {
    let node = office();
    let mut client = Lines::connect(node.port("smtp"));
    client.say("EHLO client.example\n");
    let reply = client.reply();
    assert!(is_refusal(&reply), "{reply:?}");
    node.stop();
}

#[test]
fn endless_lines_are_answered_or_cut_off() {
    let node = office();
    let before = node.services();
    let memory = resident(&node, "smtpd");
    // A command line of ten megabytes (RFC 5321 §4.5.3.1.4: 512 octets).
    let mut client = Lines::connect(node.port("smtp"));
    let piece = vec![b'a'; 1 << 20];
    let _ = (0..10).all(|_| client.say(&piece));
    client.say("\r\n");
    let reply = client.reply();
    assert!(is_refusal(&reply), "{reply:.80}");
    // A text line of ten megabytes may be accepted or refused.
    let mut client = in_data(&node);
    let _ = (0..10).all(|_| client.say(&piece));
    client.say("\r\n.\r\n");
    let reply = client.reply();
    assert!(reply.starts_with("250") || is_refusal(&reply), "{reply:?}");
    let grown = resident(&node, "smtpd").saturating_sub(memory);
    assert!(grown < 8 << 10, "smtpd grew by {grown} KiB");
    check_it_goes_on(&node, &before);
    node.stop();
}

#[test]
fn data_that_never_ends_is_refused_at_the_limit() {
    let site = Site::small_office().without_antivirus().with("control.databytes | force = 5000000");
    let node = Running::start(site.path());
    let before = node.services();
    let memory = resident(&node, "smtpd") + resident(&node, "queued");
    let mut client = in_data(&node);
    let line = format!("{}\r\n", "x".repeat(998));
    let piece = line.repeat(1000);
    let mut said = 0;
    // The server may cut the connection at any time; it must not take all of the input.
    while said < 100 && client.say(&piece) {
        said += 1;
    }
    client.say("\r\n.\r\n");
    let reply = client.reply();
    assert!(reply.starts_with("552") || reply.is_empty(), "{reply:?}");
    let grown = (resident(&node, "smtpd") + resident(&node, "queued")).saturating_sub(memory);
    assert!(grown < 16 << 10, "smtpd and queued grew by {grown} KiB");
    let kept = size_of(&node.data().join("queue"));
    assert!(kept < 8 << 20, "{kept} octets are left in the queue");
    // The value of SIZE is believed before DATA (RFC 1870 §6.1).
    let mut client = Lines::connect(node.port("smtp"));
    client.expect("EHLO client.example", "250");
    client.expect(&format!("MAIL FROM:<{STRANGER}> SIZE=99999999"), "552");
    for absurd in ["99999999999999999999999", "-1", "1e3"] {
        let reply = client.ask(&format!("MAIL FROM:<{STRANGER}> SIZE={absurd}"));
        assert!(reply.starts_with('5'), "{absurd}: {reply:?}");
    }
    check_it_goes_on(&node, &before);
    node.stop();
}

fn size_of(folder: &std::path::Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(
            |entry| {
                if entry.path().is_dir() {
                    size_of(&entry.path())
                } else {
                    entry.metadata().map_or(0, |data| data.len())
                }
            },
        )
        .sum()
}

#[test]
fn a_message_that_stops_in_the_middle_is_forgotten() {
    let node = office();
    let before = node.services();
    for _ in 0..20 {
        let mut client = in_data(&node);
        client.say("Subject: half\r\n\r\nhalf a mess");
    }
    check_it_goes_on(&node, &before);
    assert_eq!(count_messages(&node, ADA, "half"), 0);
    node.stop();
}

#[test]
fn ten_thousand_recipients_are_answered() {
    let node = office();
    let before = node.services();
    let memory = resident(&node, "smtpd");
    let mut client = Lines::connect(node.port("smtp"));
    client.expect("EHLO client.example", "250");
    client.expect(&format!("MAIL FROM:<{STRANGER}>"), "250");
    let began = Instant::now();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..10_000 {
        let reply = client.ask("RCPT TO:<ada@example.org>");
        match reply.as_bytes().first() {
            Some(b'2') => accepted += 1,
            Some(b'4' | b'5') => refused += 1,
            _ => break,
        }
    }
    // At least 100 recipients are accepted (RFC 5321 §4.5.3.1.8); beyond our limit comes 452, or the connection ends.
    assert!(accepted >= 100, "{accepted} accepted, {refused} refused");
    assert!(accepted < 10_000, "no limit at all");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let grown = resident(&node, "smtpd").saturating_sub(memory);
    assert!(grown < 8 << 10, "smtpd grew by {grown} KiB");
    check_it_goes_on(&node, &before);
    node.stop();
}

#[test]
fn noise_ends_in_a_reply_or_a_closed_connection() {
    let node = office();
    let before = node.services();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for listener in ["smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s"] {
        let mut client = Lines::raw(node.port(listener));
        for _ in 0..64 {
            let noise: Vec<u8> = (0..4096)
                .map(|_| {
                    chance ^= chance << 13;
                    chance ^= chance >> 7;
                    chance ^= chance << 17;
                    chance.to_le_bytes()[3]
                })
                .collect();
            if !client.say(noise) {
                break;
            }
        }
    }
    check_it_goes_on(&node, &before);
    node.stop();
}

/// Sends the first message of a TLS handshake on many connections, says so, and keeps them until its input ends.
const HANDSHAKES: &str = r#"
import socket, ssl, sys
context = ssl._create_unverified_context()
kept = []
for _ in range(int(sys.argv[2])):
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(coming, going)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    kept.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    kept[-1].sendall(going.read())
print("sent", flush=True)
sys.stdin.read()
"#;

#[test]
fn a_keyd_that_hangs_is_not_noticed_by_connections_without_tls() {
    let node = office();
    let before = node.services();
    node.signal("keyd", Signal::STOP);
    let mut clients = Command::new("python3")
        .args(["-c", HANDSHAKES, &node.port("submissions").to_string(), "40"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let sent = lines_of(clients.stdout.take().unwrap()).recv_timeout(Duration::from_secs(60));
    assert_eq!(sent.as_deref(), Ok("sent"));
    // On the loop, the signatures of 40 handshakes would be waited for one after the other, three seconds each.
    let begun = Instant::now();
    let mut client = Lines::connect(node.port("smtp"));
    client.expect("EHLO client.example", "250");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    node.signal("keyd", Signal::CONT);
    drop(clients.stdin.take());
    clients.wait().unwrap();
    check_it_goes_on(&node, &before);
    node.stop();
}
