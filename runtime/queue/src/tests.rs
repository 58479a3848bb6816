//! Every operation failed once, every prefix of steps recovered, a process killed in the middle.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use postkiln_mail::Envelope;

use crate::model::{Model, Survives};
use crate::{Deferral, Finding, Message, Queue, QueueError};

fn envelope() -> Envelope {
    Envelope {
        sender: "ada@example.org".parse().unwrap(),
        recipients: vec!["grace@example.net".parse().unwrap(), "joan@example.net".parse().unwrap()],
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn due() -> SystemTime {
    now() + Duration::from_secs(400)
}

/// A content that takes several writes, so that the seal comes last.
fn long() -> Vec<u8> {
    b"0123456789abcde\n".repeat(40_000)
}

fn submit(queue: &Queue, content: &[u8]) -> Result<Message, QueueError> {
    let mut incoming = queue.begin(now(), envelope())?;
    for piece in content.chunks(60_000) {
        incoming.write(piece)?;
    }
    incoming.commit()
}

/// The whole life of a message: accepted, deferred, marked, removed. Tells how far it came.
fn life(model: &Model, content: &[u8]) -> Progress {
    let Ok((queue, _)) = Queue::over(Arc::new(model.clone()), 7) else { return Progress::Nothing };
    let Ok(mut message) = submit(&queue, content) else { return Progress::Nothing };
    let deferral = Deferral { recipient: 1, due: due(), text: "connection refused".to_owned() };
    if queue.write(&message.mark(&[], Some(&deferral))).is_err() {
        return Progress::Accepted;
    }
    if queue.write(&message.mark(&[0], None)).is_err() {
        return Progress::Deferred;
    }
    if queue.remove(&message.id).is_ok() { Progress::Removed } else { Progress::Marked }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Nothing,
    Accepted,
    Deferred,
    Marked,
    Removed,
}

fn content_on(model: &Model, message: &Message) -> Vec<u8> {
    use crate::storage::Storage;
    let mut bytes = vec![0; usize::try_from(message.size).unwrap()];
    model.open(message.id.as_str()).unwrap().read_at(&mut bytes, message.offset).unwrap();
    bytes
}

/// Checks recovery after the disk lost data that it may lose.
fn check_after(model: &Model, survives: Survives, progress: Progress, content: &[u8], case: &str) {
    let disk = model.after_power_cut(survives);
    let (_, recovered) = Queue::over(Arc::new(disk.clone()), 8).unwrap();
    for message in &recovered.messages {
        assert_eq!(message.envelope, envelope(), "{case}");
        assert_eq!(content_on(&disk, message), content, "half a message: {case}");
    }
    match progress {
        Progress::Nothing => assert!(recovered.messages.len() <= 1, "{case}"),
        Progress::Accepted | Progress::Deferred | Progress::Marked => {
            assert_eq!(recovered.messages.len(), 1, "lost: {case}")
        }
        Progress::Removed if survives == Survives::All => assert!(recovered.messages.is_empty(), "{case}"),
        Progress::Removed => {}
    }
    if progress >= Progress::Accepted {
        assert_eq!(disk.damaged(), Vec::<String>::new(), "{case}");
    }
    if survives == Survives::All && progress == Progress::Marked {
        let recipients = &recovered.messages[0].recipients;
        assert!(recipients[0].done && !recipients[1].done, "{case}");
        assert_eq!((recipients[1].attempts, recipients[1].text.as_str()), (1, "connection refused"), "{case}");
    }
    if (Progress::Deferred..Progress::Removed).contains(&progress) {
        let deferred = &recovered.messages[0].recipients[1];
        assert_eq!((deferred.due, deferred.attempts), (Some(due()), 1), "a time is lost: {case}");
    }
    let (_, again) = Queue::over(Arc::new(disk), 9).unwrap();
    assert_eq!(again.messages, recovered.messages, "recovery settles at once: {case}");
    assert_eq!(again.findings, [], "{case}");
}

fn steps_of_a_life(content: &[u8]) -> usize {
    let model = Model::default();
    assert_eq!(life(&model, content), Progress::Removed);
    model.steps().len()
}

#[test]
fn every_prefix_of_steps_is_recovered() {
    for content in [b"short\n".to_vec(), Vec::new(), long()] {
        for step in 0..=steps_of_a_life(&content) {
            for survives in Survives::EACH {
                let model = Model::default();
                model.die_at(step);
                let progress = life(&model, &content);
                let case = format!("dead at {step} of {:?}, survives {survives:?}", model.steps());
                check_after(&model, survives, progress, &content, &case);
            }
        }
    }
}

#[test]
fn every_operation_may_fail_once() {
    for content in [b"short\n".to_vec(), long()] {
        for step in 0..steps_of_a_life(&content) {
            for survives in Survives::EACH {
                let model = Model::default();
                model.fail_at(step);
                let progress = life(&model, &content);
                let case = format!("step {step} of {:?} failed, survives {survives:?}", model.steps());
                check_after(&model, survives, progress, &content, &case);
            }
        }
    }
}

#[test]
fn acceptance_costs_two_syncs_a_deferral_one_and_completion_none() {
    let model = Model::default();
    life(&model, b"short\n");
    let syncs: Vec<&str> = model.steps().into_iter().filter(|step| step.starts_with("sync")).collect();
    assert_eq!(syncs, ["sync", "sync names", "sync"], "the last one is the deferral's");
}

#[test]
fn a_name_that_was_synced_with_another_needs_no_second_sync() {
    let model = Model::default();
    let (queue, _) = Queue::over(Arc::new(model.clone()), 7).unwrap();
    let slow = queue.begin(now(), envelope()).unwrap();
    submit(&queue, b"fast\n").unwrap();
    slow.commit().unwrap();
    assert_eq!(model.steps().iter().filter(|step| **step == "sync names").count(), 1);
    let (_, recovered) = Queue::over(Arc::new(model.after_power_cut(Survives::Nothing)), 8).unwrap();
    assert_eq!(recovered.messages.len(), 2);
}

#[test]
fn a_dropped_message_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (queue, _) = Queue::open(directory.path(), 1).unwrap();
    let mut incoming = queue.begin(now(), envelope()).unwrap();
    incoming.write(&long()).unwrap();
    drop(incoming);
    assert_eq!(std::fs::read_dir(directory.path().join("messages")).unwrap().count(), 0);
}

#[test]
fn files_that_are_no_messages_are_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let messages = directory.path().join("messages");
    std::fs::create_dir_all(&messages).unwrap();
    std::fs::write(messages.join("0a"), [b'x'; 100]).unwrap();
    std::fs::write(messages.join("notes.txt"), "?").unwrap();
    std::fs::write(messages.join("0b"), "short").unwrap();
    let (_queue, recovered) = Queue::open(directory.path(), 1).unwrap();
    let expected = [
        Finding::Damaged("0a".to_owned()),
        Finding::Unfinished("0b".to_owned()),
        Finding::Damaged("notes.txt".to_owned()),
    ];
    assert_eq!(recovered.findings, expected);
    assert_eq!(std::fs::read_dir(directory.path().join("damaged")).unwrap().count(), 2);
}

/// One entry that is no message keeps no other from being read, even when every operation fails once.
#[test]
fn one_bad_entry_keeps_no_other_from_being_read() {
    let prepared = || {
        let model = Model::default();
        let (queue, _) = Queue::over(Arc::new(model.clone()), 7).unwrap();
        let good = [submit(&queue, b"one\n").unwrap().id, submit(&queue, b"two\n").unwrap().id];
        model.add_directory("00000000deadbeef");
        (model.after_power_cut(Survives::All), good)
    };
    let (model, good) = prepared();
    let (_, recovered) = Queue::over(Arc::new(model.clone()), 8).unwrap();
    assert_eq!(
        recovered.messages.iter().map(|message| &message.id).collect::<Vec<_>>(),
        good.iter().collect::<Vec<_>>()
    );
    assert_eq!(recovered.findings, [Finding::Damaged("00000000deadbeef".to_owned())]);
    assert_eq!(model.damaged(), ["00000000deadbeef"]);
    for step in 1..model.steps().len() {
        let (model, _) = prepared();
        model.fail_at(step);
        let (queue, recovered) = Queue::over(Arc::new(model.clone()), 8).unwrap();
        let stuck = recovered.findings.iter().filter_map(|finding| match finding {
            Finding::Stuck(name, _) => Some(name.clone()),
            _ => None,
        });
        let stuck: BTreeSet<String> = stuck.collect();
        let known = recovered.messages.len();
        assert_eq!((stuck.len(), known + 1 + model.damaged().len()), (1, 3), "{:?}", model.steps());
        let again = queue.look_again(&stuck).unwrap();
        assert_eq!((known + again.messages.len(), model.damaged().len()), (2, 1), "nothing waits for a start");
        let (_, again) = Queue::over(Arc::new(model), 9).unwrap();
        assert_eq!(again.messages.len(), 2, "what was stuck is looked at again");
    }
}

#[test]
fn nothing_that_stands_in_a_messages_place_stops_a_start() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let messages = directory.path().join("messages");
    std::fs::create_dir_all(messages.join("0a/inside")).unwrap();
    std::fs::create_dir_all(directory.path().join("damaged/0a/inside")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", messages.join("0b")).unwrap();
    std::os::unix::net::UnixListener::bind(messages.join("0c")).unwrap();
    std::fs::write(messages.join(std::ffi::OsStr::from_bytes(b"0d\xff")), "x").unwrap();
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, messages.join("0e"), kind, 0o600.into(), 0).unwrap();
    let (queue, recovered) = Queue::open(directory.path(), 1).unwrap();
    let damaged = ["0a", "0b", "0c", "0d\u{fffd}", "0e"].map(|name| Finding::Damaged(name.to_owned()));
    assert_eq!(recovered.findings, damaged);
    assert!(directory.path().join("damaged/0a.2/inside").is_dir(), "beside the one that lay there");
    submit(&queue, b"goes on\n").unwrap();
}

#[test]
fn a_message_whose_file_is_gone_is_told_from_one_that_cannot_be_opened_now() {
    let directory = tempfile::tempdir().unwrap();
    let (queue, _) = Queue::open(directory.path(), 1).unwrap();
    let message = submit(&queue, b"x\n").unwrap();
    let file = directory.path().join("messages").join(message.id.as_str());
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(queue.reader(&message.id), Err(QueueError::Gone(_))));
    std::fs::create_dir(&file).unwrap();
    assert!(matches!(queue.reader(&message.id), Err(QueueError::Gone(_))));
    queue.set_aside(&message.id).unwrap();
    queue.remove(&message.id).unwrap();
    assert!(directory.path().join("damaged").join(message.id.as_str()).is_dir());
}

#[test]
fn there_is_one_writer() {
    let directory = tempfile::tempdir().unwrap();
    let first = Queue::open(directory.path(), 1).unwrap();
    assert!(matches!(Queue::open(directory.path(), 2), Err(QueueError::Directory { .. })));
    drop(first);
    Queue::open(directory.path(), 3).unwrap();
}

#[test]
fn a_reader_sees_the_content_at_its_offset() {
    let directory = tempfile::tempdir().unwrap();
    let (queue, _) = Queue::open(directory.path(), 1).unwrap();
    let message = submit(&queue, &long()).unwrap();
    let mut file = std::fs::File::from(queue.reader(&message.id).unwrap());
    file.seek(SeekFrom::Start(message.offset)).unwrap();
    let mut content = Vec::new();
    file.take(message.size).read_to_end(&mut content).unwrap();
    assert_eq!(content, long());
}

/// The child of the next test: submits until it is killed, and prints each id once it was told "kept".
#[test]
fn submit_until_killed() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let (queue, _) = Queue::open(directory.as_ref(), 1).unwrap();
    loop {
        println!("kept {}", submit(&queue, &long()).unwrap().id);
    }
}

#[test]
fn a_killed_writer_loses_nothing_it_has_confirmed() {
    for rounds in [1, 3, 10] {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::submit_until_killed", "--nocapture"])
            .env(CHILD, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let kept: Vec<String> =
            lines.filter_map(|line| Some(line.split_once("kept ")?.1.to_owned())).take(rounds).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let (_, recovered) = Queue::open(directory.path(), 2).unwrap();
        for id in kept {
            let message = recovered.messages.iter().find(|message| message.id.as_str() == id);
            assert_eq!(message.map(|message| message.size), Some(long().len() as u64), "{id}");
        }
    }
}

const CHILD: &str = "POSTKILN_QUEUE_TEST_DIRECTORY";
