//! Client sessions that do not go well: a connection that breaks at any moment, and a server that says anything.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::time::{Duration, Instant};

use postkiln_mail::{Outcome, Status};
use postkiln_session::{Action, Session as _};
use postkiln_smtp::client::{Answer, Delivery, Encryption, Fate, Question, Session};
use proptest::prelude::*;

fn delivery() -> Delivery {
    Delivery {
        helo: "mail.example.org".parse().unwrap(),
        server: "192.0.2.9".to_owned(),
        sender: "ada@example.org".parse().unwrap(),
        recipient: "bob@example.net".parse().unwrap(),
        size: 6,
        encryption: Encryption::Offered,
        login: None,
        patience: Duration::from_secs(60),
    }
}

/// A session with a driver that has one piece of content and can encrypt.
struct Driven {
    session: Session,
    now: Instant,
    pieces: Vec<&'static str>,
    sent: Vec<u8>,
    fates: Vec<Fate>,
    is_closed: bool,
}

impl Driven {
    fn new() -> Self {
        let now = Instant::now();
        let session = Session::new(delivery(), now);
        Self { session, now, pieces: vec!["hello\n"], sent: Vec::new(), fates: Vec::new(), is_closed: false }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.session.receive(bytes, self.now);
        self.act();
    }

    fn act(&mut self) {
        while let Some(action) = self.session.next() {
            match action {
                Action::Send(bytes) => self.sent.extend(bytes),
                Action::StartTls => self.session.tls_started(self.now),
                Action::Close => self.is_closed = true,
                Action::Ask(question) => {
                    let answer = match question {
                        Question::InTheClear => Answer::Go,
                        Question::Content => {
                            self.pieces.pop().map_or(Answer::End, |piece| Answer::Piece(piece.as_bytes().to_vec()))
                        }
                        Question::Ended(fate) => {
                            self.fates.push(fate);
                            Answer::Go
                        }
                    };
                    self.session.answer(answer, self.now);
                }
                Action::Content(_) | Action::Abort => panic!("a client receives no message"),
            }
        }
    }
}

const REPLIES: &[&str] =
    &["220 hi\r\n", "250-hi\r\n250 SIZE\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 kept\r\n", "221 bye\r\n"];

#[test]
fn a_connection_that_breaks_ends_in_one_fate_wherever_it_breaks() {
    let died = |fate: &Fate| matches!(fate, Fate::Final(Outcome::Deferred(Status(4, 4, 2), _)));
    for heard in 0..=REPLIES.len() {
        let mut driven = Driven::new();
        REPLIES.iter().take(heard).for_each(|reply| driven.hear(reply.as_bytes()));
        driven.session.lost("reset");
        driven.act();
        let [fate] = driven.fates.as_slice() else { panic!("after {heard} replies: {:?}", driven.fates) };
        match heard {
            // Before anything of the message was said, another server may do better.
            0 | 1 => {
                assert!(matches!(fate, Fate::Elsewhere(Outcome::Deferred(Status(4, 4, 2), _))), "{heard} {fate:?}")
            }
            2..=4 => assert!(died(fate) && !format!("{fate:?}").contains("duplicate"), "{heard} {fate:?}"),
            5 => assert!(died(fate) && format!("{fate:?}").contains("Possible duplicate"), "{heard} {fate:?}"),
            _ => assert!(matches!(fate, Fate::Final(Outcome::Delivered(_))), "{heard} {fate:?}"),
        }
        assert!(driven.is_closed, "after {heard} replies");
    }
}

#[test]
fn a_handshake_that_fails_asks_for_a_connection_without() {
    let mut driven = Driven::new();
    driven.session.receive(b"220 hi\r\n", driven.now);
    driven.session.receive(b"250-hi\r\n250 STARTTLS\r\n", driven.now);
    driven.session.receive(b"220 go on\r\n", driven.now);
    driven.session.lost("bad certificate");
    while let Some(action) = driven.session.next() {
        if let Action::Ask(Question::Ended(fate)) = action {
            driven.fates.push(fate);
        }
    }
    assert_eq!(driven.fates, [Fate::NotEncrypted("bad certificate".to_owned())]);
}

/// Pieces of replies, whole and broken, and octets that are none.
fn said() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let reply = prop::sample::select(vec![
        "220 hi\r\n",
        "250-hi\r\n",
        "250 STARTTLS\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "550 5.1.1 no\r\n",
        "421 \r\n",
        "250\r\n",
        "2",
        "50 x",
        "\r\n",
        "\n",
    ]);
    let octets = prop::collection::vec(any::<u8>(), 0..40);
    prop::collection::vec(prop_oneof![4 => reply.prop_map(|text| text.as_bytes().to_vec()), 1 => octets], 0..30)
}

proptest! {
    #[test]
    fn whatever_a_server_says_there_is_one_fate_at_most_and_it_does_not_depend_on_the_pieces(said in said()) {
        let run = |pieces: &[&[u8]]| {
            let mut driven = Driven::new();
            pieces.iter().for_each(|piece| driven.hear(piece));
            driven.session.lost("the server hung up");
            driven.act();
            (driven.fates, driven.sent, driven.is_closed)
        };
        let whole: Vec<u8> = said.concat();
        let octets: Vec<&[u8]> = whole.chunks(1).collect();
        let (fates, sent, is_closed) = run(&said.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(fates.len(), 1);
        prop_assert!(is_closed);
        // Input behind the answer to STARTTLS is dropped, and how much that is depends on the pieces.
        if !sent.windows(8).any(|word| word == b"STARTTLS") {
            prop_assert_eq!(run(&octets), (fates, sent, is_closed));
        }
    }
}
