//! Any input in any pieces: no panic, and the same actions.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use postkiln_mail::Status;
use postkiln_pop3::{Answer, Config, Message, Question, Session};
use postkiln_session::{Action, Session as _, Tls};
use proptest::prelude::*;

/// Pieces of conversations, so that random sequences of them get somewhere.
const WORDS: &[&[u8]] = &[
    b"USER test\r\n",
    b"PASS pass\r\n",
    b"PASS wrong\r\n",
    b"STLS\r\n",
    b"CAPA\r\n",
    b"STAT\r\n",
    b"LIST\r\n",
    b"LIST 2\r\n",
    b"UIDL 3\r\n",
    b"DELE 1\r\n",
    b"RETR 2\r\n",
    b"RETR 99999999999999999999999\r\n",
    b"TOP 2 1\r\n",
    b"RSET\r\n",
    b"QUIT\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b"\0\xff\xfe",
];

const STARTS: &[&[u8]] = &[b"", b"USER test\r\nPASS pass\r\n"];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        8 => prop::sample::select(WORDS).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    let start = prop::sample::select(STARTS);
    (start, prop::collection::vec(word, 0..60)).prop_map(|(start, words)| [start, &words.concat()].concat())
}

fn reply(question: &Question) -> Answer {
    match question {
        Question::Authenticate { name, password } if name == "test" && password.expose() == "pass" => {
            Answer::Authenticated
        }
        Question::Authenticate { .. } => Answer::Refused(Status(5, 7, 8), "no".into()),
        Question::Open => Answer::Opened(vec![
            Message { id: "a".into(), size: 10 },
            Message { id: "b".into(), size: 20 },
            Message { id: "c".into(), size: u64::MAX },
        ]),
        Question::Retrieve(_) => Answer::Piece(b"A: b\n\n.x".to_vec()),
        Question::More => Answer::End,
        Question::Commit(_) => Answer::Committed,
    }
}

/// Feeds pieces; gives the actions, those of one kind that follow each other joined.
fn run(tls: Tls, pieces: &[&[u8]]) -> Vec<Action<Question>> {
    let now = Instant::now();
    let hostname = "mail.example.org".parse().unwrap();
    let timeout = Duration::from_secs(600);
    let config = Config { hostname, tls, timeout, max_logins: 2, max_errors: 20 };
    let mut session = Session::new(Arc::new(config), now);
    let mut actions = Vec::new();
    for piece in std::iter::once(&&b""[..]).chain(pieces) {
        session.receive(piece, now);
        while let Some(action) = session.next() {
            if let Action::Ask(question) = &action {
                session.answer(reply(question), now);
            }
            match (actions.last_mut(), action) {
                (Some(Action::Send(bytes)), Action::Send(more)) => bytes.extend(more),
                (_, action) => actions.push(action),
            }
        }
    }
    actions
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        input in input(),
        size in 2_usize..40,
        tls in prop::sample::select(&[Tls::Implicit, Tls::Starttls, Tls::Unavailable][..]),
    ) {
        let whole = run(tls, &[&input]);
        for size in [1, size] {
            prop_assert_eq!(&whole, &run(tls, &input.chunks(size).collect::<Vec<_>>()));
        }
        let close = whole.iter().position(|action| *action == Action::Close);
        prop_assert!(close.is_none_or(|at| at + 1 == whole.len()));
    }
}
