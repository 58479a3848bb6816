//! Replays `tests/dialogs/imap` against a mailbox in memory. Settings of a dialog: `tls implicit|unavailable`, a limit,
//! `message FOLDER FLAGS TEXT`, `broken`, `quota OCTETS`; and what other sessions do after so many seconds:
//! `arrives SECONDS TEXT`, `gone SECONDS UID`, `marked SECONDS UID FLAGS` (in INBOX), `anew SECONDS FOLDER`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postkiln_imap::{Answer, Config, Limits, Question, Session};
use postkiln_mail::Flags;
use postkiln_session::Tls;
use postkiln_session::dialog::{Protocol, replay_folder, unescape};
use support::World;

#[test]
fn dialogs_are_held_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/dialogs/imap");
    let count = replay_folder::<Imap>(&folder, Instant::now());
    assert!(count >= 20, "only {count} dialogs found");
}

/// The mailbox that answers.
struct Imap {
    world: World,
    /// The acts of other sessions, by the second.
    later: Vec<(u64, Happens)>,
}

enum Happens {
    Arrives(Vec<u8>),
    Gone(u32),
    Marked(u32, Flags),
    Anew(String),
}

impl Protocol for Imap {
    type Session = Session;

    fn begin(settings: &[(String, String)], now: Instant) -> (Self, Session) {
        let hostname = "mail.example.org".parse().unwrap();
        let mut config = Config { hostname, tls: Tls::Implicit, limits: Limits::default() };
        let mut world = World::new();
        let mut later = Vec::new();
        for (key, value) in settings {
            let (first, rest) = value.split_once(' ').unwrap_or((value, ""));
            match key.as_str() {
                "tls" if value == "starttls" => config.tls = Tls::Starttls,
                "tls" if value == "unavailable" => config.tls = Tls::Unavailable,
                "line" => config.limits.line = value.parse().unwrap(),
                "literal" => config.limits.message = value.parse().unwrap(),
                "max_errors" => config.limits.max_errors = value.parse().unwrap(),
                "message" => {
                    let (flags, text) = rest.split_once(' ').unwrap_or((rest, ""));
                    world.put(first, named(flags), &unescape(text));
                }
                "arrives" => later.push((first.parse().unwrap(), Happens::Arrives(unescape(rest)))),
                "gone" => later.push((first.parse().unwrap(), Happens::Gone(rest.parse().unwrap()))),
                "marked" => {
                    let (uid, flags) = rest.split_once(' ').unwrap_or((rest, ""));
                    later.push((first.parse().unwrap(), Happens::Marked(uid.parse().unwrap(), named(flags))));
                }
                "anew" => later.push((first.parse().unwrap(), Happens::Anew(rest.to_owned()))),
                "broken" => world.broken = true,
                "quota" => world.quota = value.parse().unwrap(),
                other => panic!("unknown setting {other}"),
            }
        }
        (Self { world, later }, Session::new(Arc::new(config), now))
    }

    fn know(&mut self, question: Question) -> Result<Answer, Question> {
        Ok(self.world.answer(question))
    }

    fn print(question: &Question) -> String {
        panic!("the mailbox answers, not the dialog: {question:?}");
    }

    fn read(answer: &str) -> Answer {
        panic!("the mailbox answers, not the dialog: {answer}");
    }

    fn passed(&mut self, since_the_beginning: Duration) {
        let passed = since_the_beginning.as_secs();
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= passed);
        self.later = later;
        for (_, event) in due {
            match event {
                Happens::Arrives(text) => drop(self.world.put("INBOX", Flags::none(), &text)),
                Happens::Gone(uid) => self.world.lose("INBOX", uid),
                Happens::Marked(uid, flags) => self.world.mark("INBOX", uid, flags),
                Happens::Anew(folder) => self.world.make_anew(&folder),
            }
        }
    }
}

/// `Seen,Deleted`
fn named(flags: &str) -> Flags {
    flags.split(',').filter_map(|name| Flags::named(&format!("\\{name}"))).fold(Flags::none(), Flags::with)
}
