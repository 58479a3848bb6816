//! Deliveries with a directory and a queue that are played by the test at the other end of the doors.

use std::collections::BTreeMap;
use std::io::Write as _;

use postkiln_ipc::queue::{self, Reply};
use postkiln_ipc::{Hatch, pair};
use postkiln_mail::QueueId;

use super::*;

/// A message as the queue hands it over.
pub(crate) fn original(sender: &str, recipient: &str, message: &str) -> Original {
    let mut file = tempfile::tempfile().unwrap();
    write!(file, "header of the queue{message}").unwrap();
    let request = Request {
        id: QueueId::new("1").unwrap(),
        sender: sender.parse().unwrap(),
        recipient: recipient.parse().unwrap(),
        offset: 19,
        size: message.len() as u64,
    };
    Original::open(file, request).unwrap()
}

/// The messages that were submitted: sender, recipients, content.
type Submitted = Rc<std::cell::RefCell<Vec<(String, Vec<String>, String)>>>;

struct Stage {
    directory: tempfile::TempDir,
    tools: Tools,
    config: Config,
    submitted: Submitted,
}

impl Stage {
    fn new(routes: &[(&'static str, directory::Reply)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bundle = directory.path().join("bundle");
        let file = |path: &str, text: &str| {
            let path = bundle.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        file("control/me", "mail.example.org\n");
        file("robots/example.org/info", "Subject: We got your mail\n\nThank you.\n");
        let members = ["ada@example.org", "x@far.example"].map(|member| member.parse().unwrap()).to_vec();
        let list = postkiln_control::list::List { members, prefix: Some("l".to_owned()), ..Default::default() };
        file("lists/example.org/l/list.json", &serde_json::to_string(&list).unwrap());
        let (to_directory, from_local) = pair().unwrap();
        let (to_queue, submissions) = pair().unwrap();
        let submitted = Submitted::default();
        tokio::task::spawn_local(play_directory(Hatch::new(from_local).unwrap(), routes.iter().cloned().collect()));
        tokio::task::spawn_local(play_queue(Hatch::new(submissions).unwrap(), submitted.clone()));
        let tools = Tools {
            directory: Arc::new(Door::new(to_directory)),
            queue: Arc::new(Door::new(to_queue)),
            data: directory.path().to_owned(),
            uniques: Uniques::new("mail.example.org", 1, 2),
        };
        let config = Config::read(&BundleDirectory::open(&bundle).unwrap()).unwrap();
        Self { directory, tools, config, submitted }
    }

    async fn deliver(&self, sender: &str, recipient: &str, message: &str) -> Outcome {
        match deliver(&self.config, &self.tools, &Rc::new(original(sender, recipient, message))).await {
            Ok(outcome) | Err(outcome) => outcome,
        }
    }

    fn stored(&self) -> Vec<String> {
        let new = self.directory.path().join("mail/example.org/1/Maildir/new");
        let Ok(entries) = std::fs::read_dir(new) else { return Vec::new() };
        entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }
}

async fn play_directory(hatch: Hatch, routes: BTreeMap<&'static str, directory::Reply>) {
    let mut deaths = 0;
    while let Ok(mut channel) = hatch.accept::<directory::Reply, directory::Request>().await {
        while let Ok(Some((directory::Request::Route(address), _))) = channel.receive().await {
            // The directory dies of this question, twice.
            if address.key() == "flaky@example.org" && deaths < 2 {
                deaths += 1;
                break;
            }
            let unknown = directory::Reply::NoSuchAddress("Sorry, no mailbox here by that name. (#5.1.1)".to_owned());
            let reply = routes.get(address.key().as_str()).cloned().unwrap_or(unknown);
            channel.send(&reply).await.unwrap();
        }
    }
}

async fn play_queue(hatch: Hatch, submitted: Submitted) {
    while let Ok(mut channel) = hatch.accept::<Reply, queue::Request>().await {
        let Ok(Some((queue::Request::Submit(sender), _))) = channel.receive().await else { continue };
        let mut recipients = Vec::new();
        while let Ok(Some((queue::Request::Recipients(piece), _))) = channel.receive().await {
            recipients.extend(piece.iter().map(ToString::to_string));
        }
        channel.send(&Reply::Go).await.unwrap();
        let mut content = Vec::new();
        while let Ok(Some((queue::Request::Content(bytes), _))) = channel.receive().await {
            content.extend(bytes);
        }
        submitted.borrow_mut().push((sender.to_string(), recipients, String::from_utf8(content).unwrap()));
        channel.send(&Reply::Accepted(QueueId::new("2").unwrap())).await.unwrap();
    }
}

fn account(quota: Option<u64>) -> Destination {
    Destination::Mailbox(Account {
        id: "1".to_owned(),
        address: "ada@example.org".parse().unwrap(),
        maildir: "example.org/1/Maildir".to_owned(),
        quota,
        quota_messages: None,
    })
}

fn forward(to: &str) -> Destination {
    Destination::Forward(to.parse().unwrap())
}

fn run<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move { test().await });
}

#[test]
fn a_mailbox_gets_the_message_with_its_path() {
    run(|| async {
        let stage = Stage::new(&[("ada@example.org", directory::Reply::Route(vec![account(None)]))]);
        let outcome = stage.deliver("bob@elsewhere.example", "Ada@example.org", "Subject: x\n\nhello\n").await;
        assert_eq!(outcome, Outcome::Delivered("did 1+0+0".to_owned()));
        let expected = "Return-Path: <bob@elsewhere.example>\nDelivered-To: Ada@example.org\nSubject: x\n\nhello\n";
        assert_eq!(stage.stored(), [expected]);
    });
}

#[test]
fn a_full_mailbox_bounces() {
    run(|| async {
        let stage = Stage::new(&[("ada@example.org", directory::Reply::Route(vec![account(Some(10))]))]);
        let outcome = stage.deliver("bob@elsewhere.example", "ada@example.org", "Subject: x\n\nhello\n").await;
        assert_eq!(outcome, Outcome::Bounced(Status(5, 2, 2), "the mailbox is full (#5.2.2)".to_owned()));
        assert_eq!(stage.stored(), Vec::<String>::new());
    });
}

#[test]
fn forwards_go_together_and_last() {
    run(|| async {
        let targets = vec![forward("a@far.example"), account(None), forward("b@far.example")];
        let stage = Stage::new(&[("ada@example.org", directory::Reply::Route(targets))]);
        let outcome = stage.deliver("bob@elsewhere.example", "ada@example.org", "Subject: x\n\nhello\n").await;
        assert_eq!(outcome, Outcome::Delivered("did 1+2+0 qp 2".to_owned()));
        assert_eq!(stage.stored().len(), 1);
        let recipients = vec!["a@far.example".to_owned(), "b@far.example".to_owned()];
        let content = "Delivered-To: ada@example.org\nSubject: x\n\nhello\n".to_owned();
        assert_eq!(*stage.submitted.borrow(), [("bob@elsewhere.example".to_owned(), recipients, content)]);
    });
}

#[test]
fn what_cannot_be_delivered_is_refused_or_waits() {
    run(|| async {
        let unavailable = directory::Reply::Unavailable("the database is away".to_owned());
        let stage = Stage::new(&[
            ("ada@example.org", directory::Reply::Route(vec![account(None)])),
            ("busy@example.org", unavailable),
            ("moved@example.org", directory::Reply::NotOurs),
            ("drop@example.org", directory::Reply::Route(Vec::new())),
        ]);
        let outcome = stage.deliver("bob@elsewhere.example", "none@example.org", "\n").await;
        assert!(matches!(outcome, Outcome::Bounced(Status(5, 1, 1), _)), "{outcome:?}");
        for recipient in ["busy@example.org", "moved@example.org"] {
            let outcome = stage.deliver("bob@elsewhere.example", recipient, "\n").await;
            assert!(matches!(outcome, Outcome::Deferred(Status(4, 3, 0), _)), "{outcome:?}");
        }
        let outcome = stage.deliver("bob@elsewhere.example", "drop@example.org", "\n").await;
        assert_eq!(outcome, Outcome::Delivered("did 0+0+0".to_owned()));
        let outcome =
            stage.deliver("bob@elsewhere.example", "ada@example.org", "Delivered-To: ada@example.org\n\n").await;
        assert!(matches!(outcome, Outcome::Bounced(Status(5, 4, 6), _)), "{outcome:?}");
        assert_eq!(stage.stored(), Vec::<String>::new());
    });
}

#[test]
fn a_directory_that_dies_is_asked_again() {
    run(|| async {
        let stage = Stage::new(&[("flaky@example.org", directory::Reply::Route(vec![account(None)]))]);
        let outcome = stage.deliver("bob@elsewhere.example", "flaky@example.org", "\n").await;
        assert_eq!(outcome, Outcome::Delivered("did 1+0+0".to_owned()));
    });
}

#[test]
fn a_list_post_goes_to_all_members_in_one_message() {
    run(|| async {
        let list = directory::List { address: "l@example.org".parse().unwrap(), directory: "example.org/l".to_owned() };
        let stage = Stage::new(&[("l@example.org", directory::Reply::Route(vec![Destination::List(list)]))]);
        let outcome = stage.deliver("ada@example.org", "l@example.org", "Subject: hello\n\nbody\n").await;
        assert_eq!(outcome, Outcome::Delivered("did 0+0+1".to_owned()));
        let outcome = stage.deliver("bob@elsewhere.example", "l@example.org", "Subject: hello\n\nbody\n").await;
        assert!(matches!(outcome, Outcome::Bounced(Status(5, 7, 2), _)), "{outcome:?}");
        let submitted = stage.submitted.borrow();
        let [(sender, recipients, content)] = submitted.as_slice() else { panic!("{submitted:?}") };
        assert_eq!(sender, "postmaster@example.org");
        assert_eq!(*recipients, ["ada@example.org", "x@far.example"]);
        assert!(content.ends_with("\nSubject: [l] hello\n\nbody\n"), "{content}");
    });
}

#[test]
fn a_robot_answers_once() {
    run(|| async {
        let responder = directory::Responder {
            address: "info@example.org".parse().unwrap(),
            message: "robots/example.org/info".to_owned(),
            replies: 1,
            period: 86400,
        };
        let targets = vec![account(None), Destination::Respond(responder)];
        let stage = Stage::new(&[("info@example.org", directory::Reply::Route(targets))]);
        for _ in 0..2 {
            let outcome = stage.deliver("bob@elsewhere.example", "info@example.org", "Subject: x\n\nhello\n").await;
            assert_eq!(outcome, Outcome::Delivered("did 1+0+1".to_owned()));
        }
        assert_eq!(stage.stored().len(), 2);
        let submitted = stage.submitted.borrow();
        let [(sender, recipients, content)] = submitted.as_slice() else { panic!("{submitted:?}") };
        assert_eq!((sender.as_str(), recipients.as_slice()), ("", ["bob@elsewhere.example".to_owned()].as_slice()));
        assert!(
            content.contains("\nTo: bob@elsewhere.example\n") && content.ends_with("\n\nThank you.\n"),
            "{content}"
        );
    });
}
