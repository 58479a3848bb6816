//! The life of messages, with callers, `local` and `remote` played by the test at the other end of the doors.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use postkiln_control::list::MOST_MEMBERS;
use postkiln_ipc::delivery::Request as Attempted;
use postkiln_ipc::queue::{Entry, Refusal, Reply, Request, Submission};
use postkiln_ipc::{Channel, Hatch, pair};
use postkiln_mail::{Envelope, Outcome, QueueId, Status};
use postkiln_queue::Limits;
use postkiln_sys::BundleDirectory;
use tokio::sync::mpsc;

use super::*;

/// A message as it reached `local` or `remote`: role, sender, recipient, content.
type Delivered = (&'static str, String, String, String);

struct Stage {
    directory: tempfile::TempDir,
    deliveries: mpsc::UnboundedReceiver<Delivered>,
    smtpd: Door,
    operator: Door,
    shared: Rc<Shared>,
    _config: watch::Sender<Arc<Config>>,
}

impl Stage {
    /// Runs the role's parts; `outcomes` says what becomes of each recipient: the first answer, then the next, the last
    /// again and again.
    fn new(outcomes: &[(&'static str, &[Outcome])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::over(directory, outcomes)
    }

    fn over(directory: tempfile::TempDir, outcomes: &[(&'static str, &[Outcome])]) -> Self {
        let control = directory.path().join("bundle/control");
        std::fs::create_dir_all(&control).unwrap();
        std::fs::write(control.join("me"), "mail.example.org\n").unwrap();
        std::fs::write(control.join("locals"), "").unwrap();
        std::fs::write(control.join("virtualdomains"), "example.org:example.org\nmail.example.org:x\n").unwrap();
        let bundle = BundleDirectory::open(&directory.path().join("bundle")).unwrap();
        let (configs, config) = watch::channel(Arc::new(Config::read(&bundle).unwrap()));
        let mut scheduler = Scheduler::new(config.borrow().limits());
        let (queue, recovered) = Queue::open(&directory.path().join("queue"), 7).unwrap();
        for message in recovered.messages {
            scheduler.add(message, SystemTime::now());
        }
        let (told, deliveries) = mpsc::unbounded_channel();
        let outcomes: BTreeMap<&'static str, Vec<Outcome>> =
            outcomes.iter().map(|(recipient, outcomes)| (*recipient, outcomes.to_vec())).collect();
        let shared = Rc::new(Shared {
            queue,
            scheduler: RefCell::new(scheduler),
            config,
            local: play("local", outcomes.clone(), told.clone()),
            remote: play("remote", outcomes, told),
            writing: Cell::new(0),
            changed: Notify::new(),
            broken: Notify::new(),
        });
        let [smtpd, operator] = ["smtpd", "controld"].map(|caller| {
            let (door, hatch) = pair().unwrap();
            let shared = shared.clone();
            tokio::task::spawn_local(role::answer(
                Hatch::new(hatch).unwrap(),
                caller.into(),
                10,
                move |caller, channel| intake::talk(shared.clone(), caller, channel),
            ));
            Door::new(door)
        });
        let scheduled = shared.clone();
        tokio::task::spawn_local(async move { dispatch::run(&scheduled).await });
        Self { directory, deliveries, smtpd, operator, shared, _config: configs }
    }

    /// Nothing is attempted from now on (`concurrencyremote` 0 and the like).
    fn hold(&self) {
        let limits = Limits { local: 0, remote: 0, ..self.shared.config().limits() };
        self.shared.scheduler.borrow_mut().set_limits(limits);
    }

    async fn submit(&self, sender: &str, recipients: &[&str], content: &str) -> QueueId {
        let recipients = recipients.iter().map(|text| text.parse().unwrap()).collect();
        let envelope = Envelope { sender: sender.parse().unwrap(), recipients };
        let mut submission = Submission::begin(&self.smtpd, &envelope).await.unwrap();
        submission.content(content.as_bytes()).await.unwrap();
        submission.commit().await.unwrap()
    }

    async fn next(&mut self) -> Delivered {
        self.deliveries.recv().await.unwrap()
    }

    /// Waits until the queue is empty, by asking it.
    async fn drained(&self) {
        while self.list().await != 0 {
            tokio::task::yield_now().await;
        }
        // The file goes on another thread.
        while std::fs::read_dir(self.directory.path().join("queue/messages")).unwrap().count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn list(&self) -> usize {
        self.listing().await.len()
    }

    /// The queue with each message's recipients that wait, and what was said of them.
    async fn listing(&self) -> Vec<(Entry, Vec<(String, String)>)> {
        let mut channel: Channel<Request, Reply> = self.operator.open().unwrap();
        channel.send(&Request::List).await.unwrap();
        let mut entries = Vec::new();
        loop {
            match channel.answer().await.unwrap() {
                Reply::Entry(entry) => entries.push((entry, Vec::new())),
                Reply::Waiting(piece) => {
                    let (_, waiting) = entries.last_mut().unwrap();
                    waiting.extend(piece.into_iter().map(|one| (one.recipient.to_string(), one.deferral)));
                }
                Reply::Done => return entries,
                other => panic!("{other:?}"),
            }
        }
    }

    async fn flush(&self) {
        let mut channel: Channel<Request, Reply> = self.operator.open().unwrap();
        assert_eq!(channel.ask(&Request::Flush).await.unwrap(), Reply::Done);
    }

    /// Waits until the one message was deferred with these words, in memory and on disk.
    async fn deferred(&self, text: &str) -> Entry {
        loop {
            let listing = self.listing().await;
            let [(entry, waiting)] = listing.as_slice() else { panic!("{listing:?}") };
            let file = self.directory.path().join("queue/messages").join(entry.id.as_str());
            let is_marked = String::from_utf8_lossy(&std::fs::read(file).unwrap()).contains(text);
            if is_marked && waiting.len() == 1 && waiting[0].1 == text {
                return entry.clone();
            }
            tokio::task::yield_now().await;
        }
    }
}

/// A role that answers as told. A recipient without answers makes it go away in the middle of the attempt.
fn play(
    role: &'static str,
    mut outcomes: BTreeMap<&'static str, Vec<Outcome>>,
    told: mpsc::UnboundedSender<Delivered>,
) -> Arc<Door> {
    let (door, hatch) = pair().unwrap();
    let hatch = Hatch::new(hatch).unwrap();
    tokio::task::spawn_local(async move {
        while let Ok(mut channel) = hatch.accept::<Outcome, Attempted>().await {
            let Ok(Some((request, Some(descriptor)))) = channel.receive().await else { continue };
            let mut file = std::fs::File::from(descriptor);
            file.seek(SeekFrom::Start(request.offset)).unwrap();
            let mut content = String::new();
            file.take(request.size).read_to_string(&mut content).unwrap();
            let recipient = request.recipient.to_string();
            let answers = outcomes.get_mut(recipient.as_str());
            told.send((role, request.sender.to_string(), recipient, content)).unwrap();
            let Some(answers) = answers else { continue };
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
            channel.send(&answer).await.unwrap();
        }
    });
    Arc::new(Door::new(door))
}

fn ok() -> Outcome {
    Outcome::Delivered("did 1+0+0".to_owned())
}

fn bounced(text: &str) -> Outcome {
    Outcome::Bounced(Status(5, 1, 1), text.to_owned())
}

fn deferred(text: &str) -> Outcome {
    Outcome::Deferred(Status(4, 4, 1), text.to_owned())
}

fn run<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move { test().await });
}

#[test]
fn recipients_go_their_ways_and_the_message_ends() {
    run(|| async {
        let mut stage = Stage::new(&[("ada@example.org", &[ok()]), ("bob@elsewhere.example", &[ok()])]);
        stage.submit("x@example.net", &["ada@example.org", "bob@elsewhere.example"], "Subject: x\n\nhi\n").await;
        let mut seen = [stage.next().await, stage.next().await];
        seen.sort();
        let expected = |role, recipient: &str| {
            (role, "x@example.net".to_owned(), recipient.to_owned(), "Subject: x\n\nhi\n".to_owned())
        };
        assert_eq!(seen, [expected("local", "ada@example.org"), expected("remote", "bob@elsewhere.example")]);
        stage.drained().await;
    });
}

#[test]
fn a_failure_is_reported_and_a_failing_report_goes_to_the_postmaster() {
    run(|| async {
        let mut stage = Stage::new(&[
            ("none@example.org", &[bounced("Sorry, no mailbox here by that name. (#5.1.1)")]),
            ("x@example.net", &[bounced("unknown")]),
            ("postmaster@mail.example.org", &[bounced("also unknown")]),
        ]);
        stage.submit("x@example.net", &["none@example.org"], "Subject: x\n\nhi\n").await;
        assert_eq!(stage.next().await.2, "none@example.org");
        let (role, sender, recipient, content) = stage.next().await;
        assert_eq!((role, sender.as_str(), recipient.as_str()), ("remote", "", "x@example.net"));
        assert!(content.contains("Hi. This is the qmail-send program at mail.example.org."), "{content}");
        assert!(content.contains("<none@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n"), "{content}");
        assert!(content.contains("Subject: x\n\nhi\n"), "{content}");
        let (role, sender, recipient, _) = stage.next().await;
        assert_eq!((role, sender.as_str(), recipient.as_str()), ("local", "#@[]", "postmaster@mail.example.org"));
        // The triple bounce is discarded.
        stage.drained().await;
    });
}

#[test]
fn a_deferred_message_waits_until_it_is_flushed() {
    run(|| async {
        let mut stage = Stage::new(&[("bob@elsewhere.example", &[deferred("not now"), ok()])]);
        let id = stage.submit("x@example.net", &["bob@elsewhere.example"], "hi\n").await;
        stage.next().await;
        let entry = stage.deferred("not now").await;
        assert_eq!((entry.id, entry.next_attempt - entry.arrived), (id, 400));
        stage.flush().await;
        stage.next().await;
        stage.drained().await;
    });
}

#[test]
fn a_later_life_goes_on_with_what_is_left() {
    run(|| async {
        let mut first = Stage::new(&[("ada@example.org", &[ok()]), ("bob@elsewhere.example", &[deferred("not now")])]);
        first.submit("x@example.net", &["ada@example.org", "bob@elsewhere.example"], "hi\n").await;
        first.next().await;
        first.next().await;
        first.deferred("not now").await;
        // The machine is reset: the disk is all that is left.
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(copy.path().join("queue/messages")).unwrap();
        for file in std::fs::read_dir(first.directory.path().join("queue/messages")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join("queue/messages").join(file.file_name())).unwrap();
        }
        let mut second = Stage::over(copy, &[("bob@elsewhere.example", &[ok()])]);
        let entry = second.deferred("not now").await;
        assert_eq!(entry.next_attempt - entry.arrived, 400, "its time is the one it had");
        second.flush().await;
        assert_eq!(second.next().await.2, "bob@elsewhere.example");
        second.drained().await;
    });
}

/// Defers a message, then puts `replacement` in its file's place and tries it again.
async fn lose(replacement: impl FnOnce(&Path)) -> (Stage, Delivered) {
    let elsewhere = ("bob@elsewhere.example", &[deferred("not now"), deferred("nor now")][..]);
    let mut stage = Stage::new(&[elsewhere, ("x@example.net", &[ok()])]);
    let id = stage.submit("x@example.net", &["bob@elsewhere.example"], "Subject: x\n\nhi\n").await;
    stage.next().await;
    let file = stage.directory.path().join("queue/messages").join(id.as_str());
    stage.deferred("not now").await;
    std::fs::remove_file(&file).unwrap();
    replacement(&file);
    stage.flush().await;
    let notice = stage.next().await;
    stage.drained().await;
    (stage, notice)
}

#[test]
fn a_message_whose_file_is_gone_is_reported_once_and_ends() {
    run(|| async {
        let (_stage, (role, sender, recipient, content)) = lose(|_| {}).await;
        assert_eq!((role, sender.as_str(), recipient.as_str()), ("remote", "", "x@example.net"));
        assert!(content.contains("<bob@elsewhere.example>:\nThe message was lost on this system"), "{content}");
        assert!(content.contains("I cannot read the message itself any more"), "{content}");
    });
}

#[test]
fn a_directory_in_a_messages_place_is_set_aside() {
    run(|| async {
        let (stage, notice) = lose(|file| std::fs::create_dir(file).unwrap()).await;
        assert_eq!(notice.2, "x@example.net");
        assert_eq!(std::fs::read_dir(stage.directory.path().join("queue/damaged")).unwrap().count(), 1);
    });
}

#[test]
fn callers_say_only_what_is_theirs_to_say() {
    run(|| async {
        let stage = Stage::new(&[]);
        let mut smtpd: Channel<Request, Reply> = stage.smtpd.open().unwrap();
        assert!(smtpd.ask(&Request::List).await.is_err());
        let mut operator: Channel<Request, Reply> = stage.operator.open().unwrap();
        assert!(operator.ask(&Request::Submit("".parse().unwrap())).await.is_err());
        let nobody = Envelope { sender: "".parse().unwrap(), recipients: Vec::new() };
        let refused = Submission::begin(&stage.smtpd, &nobody).await;
        assert!(matches!(refused, Err(Refusal::Refused(Status(5, 5, 4), _))));
    });
}

#[test]
fn a_message_whose_caller_goes_away_is_forgotten() {
    run(|| async {
        let stage = Stage::new(&[]);
        let envelope = Envelope { sender: "".parse().unwrap(), recipients: vec!["ada@example.org".parse().unwrap()] };
        let submission = Submission::begin(&stage.smtpd, &envelope).await.unwrap();
        drop(submission);
        stage.drained().await;
    });
}

#[test]
fn more_recipients_than_a_frame_holds_are_taken_and_listed() {
    run(|| async {
        let stage = Stage::new(&[]);
        // The longest addresses there are: some 5 MiB in all.
        let long = format!("{}.example", [["x"; 60].concat(), ["y"; 60].concat(), ["z"; 40].concat()].join("."));
        let recipients = (0..20_000).map(|n| format!("{n:064}@{long}").parse().unwrap()).collect();
        let envelope = Envelope { sender: "l@example.org".parse().unwrap(), recipients };
        stage.hold();
        Submission::begin(&stage.smtpd, &envelope).await.unwrap().commit().await.unwrap();
        let [(entry, waiting)] = &stage.listing().await[..] else { panic!("one message") };
        assert_eq!((entry.recipients, waiting.len()), (20_000, 20_000));
        let listed: std::collections::BTreeSet<&String> = waiting.iter().map(|(recipient, _)| recipient).collect();
        assert_eq!(listed.len(), 20_000);
    });
}

#[test]
fn recipients_have_a_limit() {
    run(|| async {
        let stage = Stage::new(&[]);
        let recipients = (0..=MOST_MEMBERS).map(|n| format!("u{n}@example.net").parse().unwrap()).collect();
        let envelope = Envelope { sender: "l@example.org".parse().unwrap(), recipients };
        let refused = Submission::begin(&stage.smtpd, &envelope).await;
        assert!(matches!(refused, Err(Refusal::Refused(Status(5, 5, 3), _))), "{refused:?}");
    });
}
