//! Failure notices: one multipart/report (RFC 3462, RFC 3464) whose first part is qmail's QSBMF text. The same
//! arguments give the same octets. Knows nothing about when a message is given up. Start at [`notice`].

use std::fmt::Write as _;

use jiff::Timestamp;
use postkiln_address::{Address, Domain, ReversePath};

use crate::{Envelope, QueueId, Status, date, header};

/// The author of notices, and the address for notices that cannot be delivered.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our host name (control file `me`).
    pub hostname: Domain,
    /// The notice's author (control files `bouncefrom` and `bouncehost`).
    pub from: Address,
    /// The address that gets double bounces (control files `doublebounceto` and `doublebouncehost`).
    pub double_bounce_to: Address,
    /// The largest message, in octets, that is sent back whole; of a larger one only the header is sent.
    pub whole_up_to: u64,
}

/// A message with recipients whose delivery is given up.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// The message's name in the queue; the notice's boundary and Message-ID are made of it.
    pub id: &'a QueueId,
    /// The reverse path, which the notice goes to.
    pub sender: &'a ReversePath,
    /// The time when the message came.
    pub arrived: Timestamp,
    /// The recipients that are given up, at least one.
    pub failures: &'a [Failure],
    /// The beginning of the message, with at least the whole header; empty when the message cannot be read any more.
    pub head: &'a [u8],
    /// The size of the message in octets.
    pub size: u64,
}

/// A recipient whose delivery is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The recipient's address.
    pub recipient: Address,
    /// The reason for programs, an enhanced status code.
    pub status: Status,
    /// The reason for people; it may have several lines.
    pub text: String,
}

/// A notice to be queued: the prefix, the whole original if `is_whole`, the suffix. Line ends are LF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The envelope of the notice itself.
    pub envelope: Envelope,
    /// The octets before the original.
    pub prefix: Vec<u8>,
    /// Whether the original's content stands between prefix and suffix; if not, its header is in the prefix.
    pub is_whole: bool,
    /// The octets behind the original.
    pub suffix: Vec<u8>,
}

impl Failed<'_> {
    const fn is_unreadable(&self) -> bool {
        self.head.is_empty() && self.size > 0
    }
}

/// The sentence that qmail-send adds to a report when a message is given up for its age.
pub const TOO_LONG_IN_QUEUE: &str = "I'm not going to try again; this message has been in the queue too long.";

/// The notice about a message. `None` when the message was a double bounce itself: it is dropped
/// (`triple bounce: discarding`).
#[must_use]
pub fn notice(settings: &Settings, failed: &Failed<'_>, now: Timestamp) -> Option<Notice> {
    let (sender, to) = match failed.sender {
        ReversePath::Address(address) => (ReversePath::Null, address.clone()),
        ReversePath::Null => (ReversePath::DoubleBounce, settings.double_bounce_to.clone()),
        ReversePath::DoubleBounce => return None,
    };
    let is_whole = failed.size <= settings.whole_up_to && !failed.is_unreadable();
    let boundary = format!("=_{}_{}", failed.id, now.as_second());
    let mut prefix = String::new();
    head(&mut prefix, settings, failed, &to, &boundary, now);
    part(&mut prefix, &boundary, "text/plain; charset=us-ascii");
    prefix.push_str(&qsbmf(settings, failed));
    part(&mut prefix, &boundary, "message/delivery-status");
    prefix.push_str(&delivery_status(settings, failed));
    let original = if is_whole { "message/rfc822" } else { "text/rfc822-headers" };
    part(&mut prefix, &boundary, &format!("{original}\nContent-Transfer-Encoding: 8bit"));
    let _ = writeln!(prefix, "Return-Path: <{}>", failed.sender);
    let mut prefix = prefix.into_bytes();
    if !is_whole {
        prefix.extend_from_slice(header::header(failed.head));
    }
    let envelope = Envelope { sender, recipients: vec![to] };
    Some(Notice { envelope, prefix, is_whole, suffix: format!("\n--{boundary}--\n").into_bytes() })
}

fn head(out: &mut String, settings: &Settings, failed: &Failed<'_>, to: &Address, boundary: &str, now: Timestamp) {
    let Settings { hostname, from, .. } = settings;
    let _ = write!(
        out,
        "Date: {}\nFrom: {from}\nTo: {to}\nSubject: failure notice\nMessage-ID: <{}.{}.bounce@{hostname}>\n\
         Auto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"{boundary}\"\n\
         Content-Transfer-Encoding: 8bit\n",
        date(now),
        failed.id,
        now.as_second(),
    );
}

/// Begins a part. The delimiter belongs to the line end before it (RFC 2046 §5.1.1).
fn part(out: &mut String, boundary: &str, kind: &str) {
    let _ = write!(out, "\n--{boundary}\nContent-Type: {kind}\n\n");
}

/// The text for people in QSBMF, the form by which programs recognise a qmail bounce.
fn qsbmf(settings: &Settings, failed: &Failed<'_>) -> String {
    let mut text = format!("Hi. This is the qmail-send program at {}.\n", settings.hostname);
    let is_double = failed.sender.address().is_none();
    text.push_str(if is_double {
        "I tried to deliver a bounce message to this address, but the bounce bounced!\n\n"
    } else {
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n\
         This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    });
    if failed.is_unreadable() {
        text.truncate(text.trim_end().len());
        text.push_str("\nI cannot read the message itself any more, so no copy of it follows.\n\n");
    }
    for failure in failed.failures {
        let _ = write!(text, "<{}>:\n{}\n\n", failure.recipient, report(&failure.text));
    }
    text.push_str(if is_double {
        "--- Below this line is the original bounce.\n"
    } else {
        "--- Below this line is a copy of the message.\n"
    });
    text
}

/// One paragraph of printable lines: QSBMF ends a recipient's report at an empty line.
fn report(text: &str) -> String {
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| if line.trim().is_empty() { "/".to_owned() } else { printable(line) })
        .collect();
    if lines.is_empty() { "(no report)".to_owned() } else { lines.join("\n") }
}

/// The part for programs (RFC 3464 §2).
fn delivery_status(settings: &Settings, failed: &Failed<'_>) -> String {
    let mut text = format!("Reporting-MTA: dns; {}\n", settings.hostname);
    let _ = write!(text, "X-Postkiln-Queue-ID: {}\nArrival-Date: {}\n", failed.id, date(failed.arrived));
    for failure in failed.failures {
        let line = printable(&failure.text.split_whitespace().collect::<Vec<_>>().join(" "));
        let _ = write!(
            text,
            "\nFinal-Recipient: rfc822; {}\nAction: failed\nStatus: {}\nDiagnostic-Code: X-Postkiln; {line}\n",
            failure.recipient, failure.status,
        );
    }
    text
}

/// A line of the first two parts with printable characters only; RFC 5322 §2.1.1 wants lines below 998 octets.
fn printable(line: &str) -> String {
    line.chars().take(900).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_358_170;

    fn settings() -> Settings {
        Settings {
            hostname: "mail.example.org".parse().unwrap(),
            from: "MAILER-DAEMON@mail.example.org".parse().unwrap(),
            double_bounce_to: "postmaster@mail.example.org".parse().unwrap(),
            whole_up_to: 1000,
        }
    }

    fn failure(recipient: &str, status: Status, text: &str) -> Failure {
        Failure { recipient: recipient.parse().unwrap(), status, text: text.to_owned() }
    }

    fn make(sender: &str, failures: &[Failure], message: &str, size: u64) -> Option<(Notice, String)> {
        let failed = Failed {
            id: &QueueId::new("1f").unwrap(),
            sender: &sender.parse().unwrap(),
            arrived: Timestamp::from_second(NOW - 60).unwrap(),
            failures,
            head: message.as_bytes(),
            size,
        };
        let notice = notice(&settings(), &failed, Timestamp::from_second(NOW).unwrap())?;
        let content = if notice.is_whole { message } else { "" };
        let text = [&notice.prefix[..], content.as_bytes(), &notice.suffix].concat();
        Some((notice, String::from_utf8(text).unwrap()))
    }

    const ORIGINAL: &str = "From: ada@elsewhere.example\nSubject: hello\n\nbody\n";

    const NOTICE: &str = "Date: 22 Nov 2026 14:36:10 -0000\n\
        From: MAILER-DAEMON@mail.example.org\n\
        To: ada@elsewhere.example\n\
        Subject: failure notice\n\
        Message-ID: <1f.1795358170.bounce@mail.example.org>\n\
        Auto-Submitted: auto-replied\n\
        MIME-Version: 1.0\n\
        Content-Type: multipart/report; report-type=delivery-status;\n\
        \tboundary=\"=_1f_1795358170\"\n\
        Content-Transfer-Encoding: 8bit\n\
        \n\
        --=_1f_1795358170\n\
        Content-Type: text/plain; charset=us-ascii\n\
        \n\
        Hi. This is the qmail-send program at mail.example.org.\n\
        I'm afraid I wasn't able to deliver your message to the following addresses.\n\
        This is a permanent error; I've given up. Sorry it didn't work out.\n\
        \n\
        <nobody@example.org>:\n\
        Sorry, no mailbox here by that name. (#5.1.1)\n\
        \n\
        <far@third.example>:\n\
        192.0.2.9 did not answer.\n\
        /\n\
        I'm not?\n\
        \n\
        --- Below this line is a copy of the message.\n\
        \n\
        --=_1f_1795358170\n\
        Content-Type: message/delivery-status\n\
        \n\
        Reporting-MTA: dns; mail.example.org\n\
        X-Postkiln-Queue-ID: 1f\n\
        Arrival-Date: 22 Nov 2026 14:35:10 -0000\n\
        \n\
        Final-Recipient: rfc822; nobody@example.org\n\
        Action: failed\n\
        Status: 5.1.1\n\
        Diagnostic-Code: X-Postkiln; Sorry, no mailbox here by that name. (#5.1.1)\n\
        \n\
        Final-Recipient: rfc822; far@third.example\n\
        Action: failed\n\
        Status: 4.4.1\n\
        Diagnostic-Code: X-Postkiln; 192.0.2.9 did not answer. I'm not?\n\
        \n\
        --=_1f_1795358170\n\
        Content-Type: message/rfc822\n\
        Content-Transfer-Encoding: 8bit\n\
        \n\
        Return-Path: <ada@elsewhere.example>\n\
        From: ada@elsewhere.example\n\
        Subject: hello\n\
        \n\
        body\n\
        \n\
        --=_1f_1795358170--\n";

    #[test]
    fn a_notice_is_a_report_with_qmails_text() {
        let failures = [
            failure("nobody@example.org", Status(5, 1, 1), "Sorry, no mailbox here by that name. (#5.1.1)\n"),
            failure("far@third.example", Status(4, 4, 1), "192.0.2.9 did not answer.\n\nI'm not\u{e9}"),
        ];
        let (notice, text) = make("ada@elsewhere.example", &failures, ORIGINAL, 50).unwrap();
        assert_eq!(notice.envelope.sender, ReversePath::Null);
        assert_eq!(notice.envelope.recipients, ["ada@elsewhere.example".parse().unwrap()]);
        assert_eq!(text, NOTICE);
    }

    #[test]
    fn a_large_message_comes_back_as_its_header() {
        let failures = [failure("nobody@example.org", Status(5, 1, 1), "")];
        let (notice, text) = make("ada@elsewhere.example", &failures, ORIGINAL, 1001).unwrap();
        assert!(!notice.is_whole);
        assert!(text.contains("Content-Type: text/rfc822-headers\n"));
        assert!(text.ends_with("Subject: hello\n\n--=_1f_1795358170--\n"), "{text}");
        assert!(text.contains("<nobody@example.org>:\n(no report)\n"));
    }

    #[test]
    fn a_bounce_bounces_to_the_postmaster_and_no_further() {
        let failures = [failure("gone@elsewhere.example", Status(5, 1, 1), "no")];
        let (notice, text) = make("", &failures, ORIGINAL, 50).unwrap();
        assert_eq!(notice.envelope.sender, ReversePath::DoubleBounce);
        assert_eq!(notice.envelope.recipients, ["postmaster@mail.example.org".parse().unwrap()]);
        assert!(text.contains("but the bounce bounced!\n"));
        assert!(text.contains("--- Below this line is the original bounce.\n"));
        assert!(text.contains("Return-Path: <>\n"));
        assert!(make("#@[]", &failures, ORIGINAL, 50).is_none());
    }
}
