//! Any octets in a message or a report: no panic, no octet of a header lost, a notice of the right shape.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use jiff::Timestamp;
use postkiln_mail::bounce::{Failed, Failure, Settings, notice};
use postkiln_mail::{QueueId, Status, header};
use proptest::prelude::*;

const WORDS: &[&[u8]] =
    &[b"Received: x", b"Delivered-To:", b":", b"\n", b"\n\n", b"\r\n", b" ", b"\t", b"Subject", b"\0\xff", b"--=_1f_0"];

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(WORDS), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn fields_are_the_header(message in message()) {
        let fields: Vec<u8> = header::fields(&message).flat_map(|field| field.raw.to_vec()).collect();
        let header = header::header(&message);
        prop_assert_eq!(&fields, header);
        prop_assert!(message.starts_with(header));
        let rest = &message[header.len()..];
        prop_assert!(rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n"));
        prop_assert!(header::hops(&message) <= header.len());
    }

    #[test]
    fn a_report_cannot_break_its_notice(text in any::<String>(), head in message()) {
        let settings = Settings {
            hostname: "mail.example.org".parse().unwrap(),
            from: "MAILER-DAEMON@mail.example.org".parse().unwrap(),
            double_bounce_to: "postmaster@mail.example.org".parse().unwrap(),
            whole_up_to: 0,
        };
        let failures =
            [Failure { recipient: "ada@elsewhere.example".parse().unwrap(), status: Status(5, 0, 0), text }];
        let failed = Failed {
            id: &QueueId::new("1f").unwrap(),
            sender: &"grace@example.org".parse().unwrap(),
            arrived: Timestamp::UNIX_EPOCH,
            failures: &failures,
            head: &head,
            size: 1,
        };
        let notice = notice(&settings, &failed, Timestamp::UNIX_EPOCH).unwrap();
        let own = notice.prefix.strip_suffix(header::header(&head)).unwrap();
        let own = std::str::from_utf8(own).unwrap();
        prop_assert!(own.bytes().all(|b| matches!(b, b'\n' | b'\t' | b' '..=b'~')));
        prop_assert_eq!(own.matches("\n--=_1f_0\n").count(), 3);
        // There is one paragraph per recipient: QSBMF readers take the next empty line as its end.
        let paragraph = own.split("<ada@elsewhere.example>:\n").nth(1).unwrap().split("\n\n").nth(1).unwrap();
        prop_assert!(paragraph.starts_with("--- Below this line"), "{}", paragraph);
    }
}
