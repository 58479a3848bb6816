//! Replays `tests/dialogs/smtp-client`: the session is the client there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::path::Path;
use std::time::{Duration, Instant};

use postkiln_mail::{Outcome, Secret};
use postkiln_session::dialog::{Part, Protocol, replay_folder, unescape};
use postkiln_smtp::client::{Answer, Delivery, Encryption, Fate, Login, Question, Session};

#[test]
fn dialogs_are_held_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/dialogs/smtp-client");
    let count = replay_folder::<Client>(&folder, Instant::now());
    assert!(count >= 24, "only {count} dialogs found");
}

struct Client;

impl Protocol for Client {
    type Session = Session;
    const PART: Part = Part::Client;

    fn begin(settings: &[(String, String)], now: Instant) -> (Self, Session) {
        let mut delivery = Delivery {
            helo: "mail.example.org".parse().unwrap(),
            server: "192.0.2.9".to_owned(),
            sender: "ada@example.org".parse().unwrap(),
            recipient: "bob@example.net".parse().unwrap(),
            size: 20,
            encryption: Encryption::Offered,
            login: None,
            patience: Duration::from_secs(1200),
        };
        for (key, value) in settings {
            match key.as_str() {
                "plain" => delivery.encryption = Encryption::Never,
                "encryption" if value == "required" => delivery.encryption = Encryption::Required,
                "encryption" if value == "implicit" => delivery.encryption = Encryption::Implicit,
                "login" => {
                    let (user, password) = value.split_once(' ').unwrap();
                    let (user, password) = (user.to_owned(), Secret::new(password.to_owned()));
                    delivery.login = Some(Login { user, password });
                }
                "sender" => delivery.sender = value.parse().unwrap(),
                other => panic!("unknown setting {other}"),
            }
        }
        (Self, Session::new(delivery, now))
    }

    fn print(question: &Question) -> String {
        match question {
            Question::InTheClear => "in the clear".to_owned(),
            Question::Content => "content".to_owned(),
            Question::Ended(Fate::Final(outcome)) => format!("final {}", outcome_in_words(outcome)),
            Question::Ended(Fate::Elsewhere(outcome)) => format!("elsewhere {}", outcome_in_words(outcome)),
            Question::Ended(Fate::NotEncrypted(problem)) => format!("not encrypted {problem}"),
        }
    }

    fn read(answer: &str) -> Answer {
        match answer.split_once(' ').unwrap_or((answer, "")) {
            ("go", _) => Answer::Go,
            ("end", _) => Answer::End,
            ("piece", text) => Answer::Piece(unescape(text)),
            ("unreadable", problem) => Answer::Unreadable(problem.to_owned()),
            other => panic!("unknown answer {other:?}"),
        }
    }
}

fn outcome_in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered(text) => format!("delivered {text}"),
        Outcome::Deferred(status, text) => format!("deferred {status} {text}"),
        Outcome::Bounced(status, text) => format!("bounced {status} {text}"),
    }
}
