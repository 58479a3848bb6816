//! Replays `tests/dialogs/smtp`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use postkiln_admission::{Client, Policy, Refusal};
use postkiln_mail::{QueueId, Status};
use postkiln_session::Tls;
use postkiln_session::dialog::{Protocol, replay_folder, unescape};
use postkiln_smtp::{Answer, Config, Limits, Listener, Peer, Question, Session};

#[test]
fn dialogs_are_held_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/dialogs/smtp");
    let count = replay_folder::<Smtp>(&folder, Instant::now());
    assert!(count >= 25, "only {count} dialogs found");
}

struct Smtp;

/// Our domain is example.org.
fn policy(bad_senders: &[&str], bad_recipients: &[&str]) -> Policy {
    let file = |name: &str| match name {
        "rcpthosts" => Some("example.org\nmail.example.org\n".to_owned()),
        "badmailfrom" => Some(bad_senders.join("\n") + "\n"),
        "badrcptto" => Some(bad_recipients.join("\n") + "\n"),
        _ => None,
    };
    Policy::read(|name| Ok(file(name).map(String::into_bytes))).unwrap()
}

impl Protocol for Smtp {
    type Session = Session;

    fn begin(settings: &[(String, String)], now: Instant) -> (Self, Session) {
        let mut config = Config {
            hostname: "mail.example.org".parse().unwrap(),
            greeting: "mail.example.org".to_owned(),
            listener: Listener::Mx,
            tls: Tls::Starttls,
            policy: Policy::default(),
            remembers: false,
            limits: Limits::default(),
        };
        let mut peer = Peer { ip: "192.0.2.1".parse().unwrap(), client: Client::default() };
        let (mut bad_senders, mut bad_recipients) = (Vec::new(), Vec::new());
        for (key, value) in settings {
            match key.as_str() {
                "submission" => config.listener = Listener::Submission,
                "tls" if value == "implicit" => config.tls = Tls::Implicit,
                "tls" if value == "unavailable" => config.tls = Tls::Unavailable,
                "badmailfrom" => bad_senders.push(value.as_str()),
                "badrcptto" => bad_recipients.push(value.as_str()),
                "rblsmtpd" => peer.client.blocked = Refusal::blocked(value),
                "relayclient" => peer.client.relay = Some(value.clone()),
                "remembers" => config.remembers = true,
                "databytes" => config.limits.databytes = Some(value.parse().unwrap()),
                "max_recipients" => config.limits.max_recipients = value.parse().unwrap(),
                "max_refused" => config.limits.max_refused = value.parse().unwrap(),
                "max_errors" => config.limits.max_errors = value.parse().unwrap(),
                "max_hops" => config.limits.max_hops = value.parse().unwrap(),
                "content_line" => config.limits.content_line = value.parse().unwrap(),
                other => panic!("unknown setting {other}"),
            }
        }
        config.policy = policy(&bad_senders, &bad_recipients);
        (Self, Session::new((Arc::new(config), peer), now))
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
        Question::Sender { account, sender } => format!("sender {account} <{sender}>"),
        Question::Recipient { sender, address } => format!("recipient <{sender}> {address}"),
        Question::Stranger { sender, address } => format!("stranger <{sender}> {address}"),
        Question::Begin(begin) => {
            let recipients: Vec<String> = begin.envelope.recipients.iter().map(ToString::to_string).collect();
            let list =
                if recipients.len() > 5 { format!("{} recipients", recipients.len()) } else { recipients.join(",") };
            let helo = begin.helo.as_deref().unwrap_or("-");
            format!("begin <{}> {list} {} {helo}", begin.envelope.sender, begin.protocol)
        }
        Question::Finish => "finish".to_owned(),
    }
}

fn read(text: &str) -> Answer {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "authenticated" => Answer::Authenticated(rest.to_owned()),
        "accepted" => Answer::Accepted,
        "kept" => Answer::Kept(QueueId::new(rest).unwrap()),
        "refused" => {
            let (status, text) = rest.split_once(' ').unwrap();
            let numbers: Vec<u16> = status.split('.').map(|n| n.parse().unwrap()).collect();
            let text = String::from_utf8(unescape(text)).unwrap();
            Answer::Refused(Status(u8::try_from(numbers[0]).unwrap(), numbers[1], numbers[2]), text)
        }
        other => panic!("unknown answer {other}"),
    }
}
