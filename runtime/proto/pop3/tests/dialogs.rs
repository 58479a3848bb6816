//! Replays `tests/dialogs/pop3`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postkiln_mail::Status;
use postkiln_pop3::{Answer, Config, Message, Question, Session};
use postkiln_session::Tls;
use postkiln_session::dialog::{Protocol, replay_folder, unescape};

#[test]
fn dialogs_are_held_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/dialogs/pop3");
    let count = replay_folder::<Pop3>(&folder, Instant::now());
    assert!(count >= 10, "only {count} dialogs found");
}

struct Pop3;

impl Protocol for Pop3 {
    type Session = Session;

    fn begin(settings: &[(String, String)], now: Instant) -> (Self, Session) {
        let mut config = Config {
            hostname: "mail.example.org".parse().unwrap(),
            tls: Tls::Implicit,
            timeout: Duration::from_secs(1200),
            max_logins: 3,
            max_errors: 10,
        };
        for (key, value) in settings {
            match (key.as_str(), value.as_str()) {
                ("tls", "stls") => config.tls = Tls::Starttls,
                ("tls", "unavailable") => config.tls = Tls::Unavailable,
                ("max_errors", count) => config.max_errors = count.parse().unwrap(),
                other => panic!("unknown setting {other:?}"),
            }
        }
        (Self, Session::new(Arc::new(config), now))
    }

    fn print(question: &Question) -> String {
        print(question)
    }

    fn read(answer: &str) -> Answer {
        read(answer)
    }
}

fn print(question: &Question) -> String {
    match question {
        Question::Authenticate { name, password } => format!("authenticate {name} {}", password.expose()),
        Question::Open => "open".to_owned(),
        Question::Retrieve(at) => format!("retrieve {at}"),
        Question::More => "more".to_owned(),
        Question::Commit(deleted) => format!("commit {deleted:?}"),
    }
}

fn read(text: &str) -> Answer {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "authenticated" => Answer::Authenticated,
        "opened" => Answer::Opened(rest.split_whitespace().map(message).collect()),
        "piece" => Answer::Piece(unescape(rest)),
        "end" => Answer::End,
        "committed" => Answer::Committed,
        "refused" => {
            let (status, text) = rest.split_once(' ').unwrap();
            let numbers: Vec<u16> = status.split('.').map(|n| n.parse().unwrap()).collect();
            Answer::Refused(Status(u8::try_from(numbers[0]).unwrap(), numbers[1], numbers[2]), text.to_owned())
        }
        other => panic!("unknown answer {other}"),
    }
}

/// `id:size`
fn message(text: &str) -> Message {
    let (id, size) = text.split_once(':').unwrap();
    Message { id: id.to_owned(), size: size.parse().unwrap() }
}
