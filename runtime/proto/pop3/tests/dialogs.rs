//! Replays `tests/dialogs/pop3`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

#[path = "../../session/src/dialog.rs"]
mod script;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postkiln_mail::Status;
use postkiln_pop3::{Action, Answer, Config, Message, Question, Session, Tls};
use script::{Event, Party, replay_folder, unescape};

#[test]
fn dialogs_are_held_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/dialogs/pop3");
    let count = replay_folder(&folder, &|settings| Box::new(Subject::new(settings)));
    assert!(count >= 10, "only {count} dialogs found");
}

struct Subject {
    session: Session,
    now: Instant,
}

impl Subject {
    fn new(settings: &[(String, String)]) -> Self {
        let mut config = Config {
            hostname: "mail.example.org".parse().unwrap(),
            tls: Tls::Implicit,
            timeout: Duration::from_secs(1200),
            max_logins: 3,
            max_errors: 10,
        };
        for (key, value) in settings {
            match (key.as_str(), value.as_str()) {
                ("tls", "stls") => config.tls = Tls::Stls,
                ("tls", "unavailable") => config.tls = Tls::Unavailable,
                ("max_errors", count) => config.max_errors = count.parse().unwrap(),
                other => panic!("unknown setting {other:?}"),
            }
        }
        let now = Instant::now();
        Self { session: Session::new(Arc::new(config), now), now }
    }
}

impl Party for Subject {
    fn receive(&mut self, bytes: &[u8]) {
        self.session.receive(bytes, self.now);
    }

    fn next(&mut self) -> Option<Event> {
        Some(match self.session.next()? {
            Action::Send(bytes) => Event::Sent(bytes),
            Action::Ask(question) => Event::Asked(print(&question)),
            Action::StartTls => Event::Did("starttls"),
            Action::Close => Event::Did("close"),
        })
    }

    fn answer(&mut self, text: &str) {
        self.session.answer(read(text), self.now);
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.session.expire(self.now);
    }

    fn handshake(&mut self) {
        self.session.tls_started(self.now);
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
