//! Any input in any pieces: no panic, the same replies, and an end of the session that is final.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

mod support;

use std::sync::Arc;
use std::time::Instant;

use postkiln_imap::{Config, Limits, Session};
use postkiln_mail::Flags;
use postkiln_session::{Action, Session as _, Tls};
use proptest::prelude::*;
use support::World;

/// Pieces of conversations, so that random sequences of them get somewhere.
const WORDS: &[&[u8]] = &[
    b"a SELECT INBOX\r\n",
    b"a EXAMINE INBOX\r\n",
    b"a FETCH 1:* (FLAGS UID BODY[] BODYSTRUCTURE ENVELOPE)\r\n",
    b"a UID FETCH 1:* BODY.PEEK[1.2.HEADER.FIELDS (To)]<1.2>\r\n",
    b"a FETCH 1 FULL\r\n",
    b"a UID STORE 1:2 +FLAGS (\\Deleted)\r\n",
    b"a STORE 2 FLAGS \\Seen\r\n",
    b"a EXPUNGE\r\n",
    b"a COPY 1 INBOX\r\n",
    b"a MOVE 1:* Trash\r\n",
    b"a SEARCH OR TEXT x NOT SUBJECT y SENTSINCE 1-Jan-2000\r\n",
    b"a SEARCH CHARSET UTF-8 BODY {1}\r\nx\r\n",
    b"a LIST \"\" *\r\n",
    b"a LSUB \"\" %/x\r\n",
    b"a CREATE x\r\n",
    b"a DELETE x\r\n",
    b"a STATUS INBOX (MESSAGES UNSEEN)\r\n",
    b"a APPEND INBOX {5+}\r\nx: y\n\r\n",
    b"a APPEND INBOX {99999}\r\n",
    b"a X {9999+}\r\n",
    b"a IDLE\r\n",
    b"DONE\r\n",
    b"a NOOP\r\n",
    b"a CLOSE\r\n",
    b"a ",
    b"\r\n",
    b"\n",
    b"{3}\r\n",
    b"(",
    b"\"",
    b"\\",
    b" 1:*",
    b"\0\xff\xfe",
];

/// Fragments of messages, for the parsers of headers and structure.
const MAIL: &[&[u8]] = &[
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: text/html; charset=\"utf-16\"\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Subject: =?utf-8?q?=C3=A9?= =?x?b?AA?=\r\n",
    b"From: \"a (b\" <c@d>, e: f@g;\r\n",
    b"To: =?utf-8?b?",
    b"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n",
    b"\r\n",
    b"--x\r\n",
    b"--x--\r\n",
    b" ; y=\"z",
    b"=3",
    b"\n",
    b"text",
    b"\0\xff",
];

fn octets(words: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        8 => prop::sample::select(words).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

/// All that a session sends when its input comes in pieces of these sizes.
fn converse(input: &[u8], sizes: &[usize], mail: &[u8], logged_in: bool) -> Vec<u8> {
    let mut world = World::new();
    world.put("INBOX", Flags::none(), mail);
    world.put("INBOX", Flags::SEEN, b"Subject: plain\r\n\r\nx\r\n");
    world.put("Trash", Flags::none(), mail);
    let limits = Limits { line: 2000, message: 10_000, max_errors: 30, ..Limits::default() };
    let config = Config { hostname: "mail.example.org".parse().unwrap(), tls: Tls::Implicit, limits };
    let now = Instant::now();
    let mut session = Session::new(Arc::new(config), now);
    let mut sent = Vec::new();
    let mut pump = |session: &mut Session| {
        let mut closed = false;
        while let Some(action) = session.next() {
            assert!(!closed, "{action:?} after the end");
            match action {
                Action::Send(bytes) => sent.extend(bytes),
                Action::Ask(question) => session.answer(world.answer(question), now),
                Action::StartTls => session.tls_started(now),
                Action::Close => closed = true,
                Action::Content(_) | Action::Abort => panic!("IMAP does not stream"),
            }
        }
    };
    if logged_in {
        session.receive(b"l LOGIN ada secret\r\ns SELECT INBOX\r\n", now);
        pump(&mut session);
    }
    let mut rest = input;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        session.receive(piece, now);
        pump(&mut session);
        rest = after;
    }
    sent
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_make_no_difference(
        input in octets(WORDS), mail in octets(MAIL), sizes in prop::collection::vec(1_usize..50, 1..6), logged_in in any::<bool>(),
    ) {
        let whole = converse(&input, &[usize::MAX], &mail, logged_in);
        prop_assert_eq!(whole, converse(&input, &sizes, &mail, logged_in));
    }

    #[test]
    fn any_message_is_shown(mail in octets(MAIL)) {
        let input = b"a FETCH 1 (BODY[] BODYSTRUCTURE ENVELOPE BODY[1] BODY[1.1.MIME] BODY[TEXT])\r\n\
            a UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (From)])\r\na SEARCH TEXT zz\r\na SEARCH SENTON 1-Jan-2000 FROM zz\r\n";
        let sent = converse(input, &[usize::MAX], &mail, true);
        let fetched = String::from_utf8_lossy(&sent).matches("a OK fetched").count();
        prop_assert_eq!(fetched, 2);
    }
}
