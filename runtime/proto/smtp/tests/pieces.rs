//! Any input in any pieces: no panic, the same actions, and bounds kept.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Instant;

use postkiln_admission::{Client, Policy};
use postkiln_mail::{QueueId, Status};
use postkiln_session::{Action, Session as _, Tls};
use postkiln_smtp::{Answer, Config, Limits, Listener, PIECE, Peer, Question, Session};
use proptest::prelude::*;

/// Pieces of conversations, so that random sequences of them get somewhere.
const WORDS: &[&[u8]] = &[
    b"EHLO client.example\r\n",
    b"MAIL FROM:<ada@example.org>\r\n",
    b"MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\n",
    b"RCPT TO:<grace@example.org>\r\n",
    b"RCPT TO:<\"a b\"@elsewhere.example>\r\n",
    b"DATA\r\n",
    b"Received: x\r\n",
    b"\r\n.\r\n",
    b".\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b".",
    b"..",
    b"text ",
    b"AUTH PLAIN ",
    b"AHRlc3QAcGFzcw==\r\n",
    b"AUTH LOGIN\r\n",
    b"*\r\n",
    b"STARTTLS\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"QUIT\r\n",
    b"\0\xff\xfe",
];

/// Where most conversations get to.
const STARTS: &[&[u8]] = &[
    b"",
    b"MAIL FROM:<ada@example.org>\r\nRCPT TO:<grace@example.org>\r\nDATA\r\n",
    b"AUTH PLAIN AHRlc3QAcGFzcw==\r\n",
];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        8 => prop::sample::select(WORDS).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    let start = prop::sample::select(STARTS);
    (start, prop::collection::vec(word, 0..60)).prop_map(|(start, words)| [start, &words.concat()].concat())
}

fn config(listener: Listener, tls: Tls) -> Arc<Config> {
    let limits = Limits {
        databytes: Some(60),
        max_recipients: 3,
        max_errors: 20,
        max_hops: 2,
        content_line: 30,
        ..Limits::default()
    };
    let hostname = "mail.example.org".parse().unwrap();
    let rcpthosts = |name: &str| Ok((name == "rcpthosts").then(|| b"example.org\n".to_vec()));
    let policy = Policy::read(rcpthosts).unwrap();
    Arc::new(Config { hostname, greeting: "mail.example.org".into(), listener, tls, policy, remembers: true, limits })
}

fn reply(question: &Question) -> Answer {
    match question {
        Question::Authenticate { name, .. } if name == "test" => Answer::Authenticated("test@example.org".into()),
        Question::Authenticate { .. } => Answer::Refused(Status(5, 7, 8), "no".into()),
        Question::Sender { .. } | Question::Recipient { .. } | Question::Stranger { .. } | Question::Begin(_) => {
            Answer::Accepted
        }
        Question::Finish => Answer::Kept(QueueId::new("1f").unwrap()),
    }
}

/// Feeds pieces; gives the actions, those of one kind that follow each other joined.
fn run(config: &Arc<Config>, pieces: &[&[u8]]) -> Vec<Action<Question>> {
    let now = Instant::now();
    let peer = Peer { ip: "192.0.2.1".parse().unwrap(), client: Client::default() };
    let mut session = Session::new((Arc::clone(config), peer), now);
    let mut actions = Vec::new();
    for piece in std::iter::once(&&b""[..]).chain(pieces) {
        session.receive(piece, now);
        while let Some(action) = session.next() {
            if let Action::Ask(question) = &action {
                session.answer(reply(question), now);
            }
            if let Action::Content(content) = &action {
                assert!((1..=PIECE).contains(&content.len()));
            }
            match (actions.last_mut(), action) {
                (Some(Action::Send(bytes)), Action::Send(more)) => bytes.extend(more),
                (Some(Action::Content(bytes)), Action::Content(more)) => bytes.extend(more),
                (_, action) => actions.push(action),
            }
        }
    }
    actions
}

fn split<'a>(input: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    places.extend([0, input.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        input in input(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        listener in prop::sample::select(&[Listener::Mx, Listener::Submission][..]),
        tls in prop::sample::select(&[Tls::Implicit, Tls::Starttls, Tls::Unavailable][..]),
    ) {
        let config = config(listener, tls);
        let whole = run(&config, &[&input]);
        prop_assert_eq!(&whole, &run(&config, &split(&input, &cuts)));
        prop_assert_eq!(&whole, &run(&config, &input.chunks(1).collect::<Vec<_>>()));
        // Every message that was begun is finished or aborted, unless the input ended first.
        let count = |wanted: fn(&Action<Question>) -> bool| whole.iter().filter(|action| wanted(action)).count();
        let begun = count(|action| matches!(action, Action::Ask(Question::Begin(_))));
        let ended = count(|action| matches!(action, Action::Ask(Question::Finish) | Action::Abort));
        prop_assert!(begun == ended || begun == ended + 1);
        // Nothing comes after the end.
        let close = whole.iter().position(|action| *action == Action::Close);
        prop_assert!(close.is_none_or(|at| at + 1 == whole.len()));
    }
}
