//! Walks through passes of a message with simulated time.

use std::time::UNIX_EPOCH;

use postkiln_mail::Envelope;

use super::*;
use crate::Recipient;
use crate::message::Journal;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn message(id: &str, recipients: &[&str]) -> Message {
    Message {
        id: QueueId::new(id).unwrap(),
        envelope: Envelope {
            sender: "ada@example.org".parse().unwrap(),
            recipients: recipients.iter().map(|text| text.parse().unwrap()).collect(),
        },
        arrived: at(0),
        offset: 0,
        size: 0,
        recipients: vec![Recipient::default(); recipients.len()],
        journal: Journal::new(0),
    }
}

fn scheduler(messages: Vec<Message>) -> Scheduler {
    let mut scheduler = Scheduler::new(Limits { local: 2, remote: 2, lifetime: Duration::from_secs(604_800) });
    for message in messages {
        scheduler.add(message, at(0));
    }
    scheduler
}

fn route(address: &Address) -> Channel {
    if address.domain().as_str() == "example.org" { Channel::Local } else { Channel::Remote }
}

fn attempt(scheduler: &mut Scheduler, now: SystemTime) -> Attempt {
    match scheduler.next(now, route) {
        Some(Work::Attempt(attempt)) => attempt,
        other => panic!("expected an attempt, not {other:?}"),
    }
}

fn deferred() -> Ended {
    Ended::Deferred(Status(4, 0, 0), "later".to_owned())
}

fn failed() -> Ended {
    Ended::Failed(Status(5, 1, 1), "no".to_owned())
}

#[test]
fn a_delivered_message_is_finished_without_marks_being_needed() {
    let mut scheduler = scheduler(vec![message("a", &["x@example.org"])]);
    let first = attempt(&mut scheduler, at(0));
    assert_eq!(first.channel, Channel::Local);
    assert!(scheduler.ended(&first, Ended::Delivered, at(1)).finished);
    assert_eq!(scheduler.next(at(10_000), route), None);
    assert_eq!(scheduler.wake(), None);
}

#[test]
fn deferrals_follow_the_schedule_and_flush_ends_the_waiting() {
    let mut scheduler = scheduler(vec![message("a", &["x@example.net"])]);
    let first = attempt(&mut scheduler, at(0));
    let step = scheduler.ended(&first, deferred(), at(30));
    assert_eq!(step.deferred, Some(Deferral { recipient: 0, due: at(400), text: "later".to_owned() }));
    assert_eq!(scheduler.wake(), Some(at(400)));
    assert_eq!(scheduler.next(at(399), route), None);
    let second = attempt(&mut scheduler, at(400));
    scheduler.ended(&second, deferred(), at(401));
    assert_eq!(scheduler.wake(), Some(at(1600)));
    scheduler.flush(at(500));
    attempt(&mut scheduler, at(500));
}

#[test]
fn concurrency_is_per_channel() {
    let far = ["a@example.net", "b@example.net", "c@example.net", "x@example.org"];
    let mut scheduler = scheduler(vec![message("a", &far)]);
    let running: Vec<Attempt> = (0..3).map(|_| attempt(&mut scheduler, at(0))).collect();
    assert_eq!(scheduler.running(), (1, 2));
    assert_eq!(scheduler.next(at(0), route), None);
    let remote = running.iter().find(|attempt| attempt.channel == Channel::Remote).unwrap();
    scheduler.ended(remote, Ended::Delivered, at(1));
    assert_eq!(attempt(&mut scheduler, at(1)).recipient, 2);
}

#[test]
fn one_notice_reports_all_failures_of_a_pass() {
    let mut scheduler = scheduler(vec![message("a", &["x@example.org", "y@example.org", "z@example.net"])]);
    let attempts: Vec<Attempt> = (0..3).map(|_| attempt(&mut scheduler, at(0))).collect();
    scheduler.ended(&attempts[0], failed(), at(1));
    scheduler.ended(&attempts[1], failed(), at(1));
    assert_eq!(scheduler.next(at(1), route), None, "the pass is not over");
    scheduler.ended(&attempts[2], deferred(), at(2));
    let Some(Work::Notice(id, failures)) = scheduler.next(at(2), route) else { panic!("no notice") };
    assert_eq!(failures.iter().map(|failure| failure.recipient).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(scheduler.noticed(&id, &failures, false, at(2)), Step::default());
    let Some(Work::Notice(id, failures)) = scheduler.next(at(121), route) else { panic!("not asked again") };
    let step = scheduler.noticed(&id, &failures, true, at(121));
    assert_eq!((step.done, step.finished), (vec![0, 1], false));
    let last = attempt(&mut scheduler, at(400));
    assert!(scheduler.ended(&last, Ended::Delivered, at(400)).finished);
}

#[test]
fn the_last_try_turns_a_deferral_into_a_failure() {
    let mut scheduler = scheduler(vec![message("a", &["x@example.net"])]);
    let first = attempt(&mut scheduler, at(604_801));
    assert!(first.last);
    scheduler.ended(&first, deferred(), at(604_802));
    let Some(Work::Notice(id, failures)) = scheduler.next(at(604_802), route) else { panic!("no notice") };
    assert!(failures[0].text.ends_with("this message has been in the queue too long."));
    assert!(scheduler.noticed(&id, &failures, true, at(604_803)).finished);
}

#[test]
fn a_cut_attempt_is_repeated_soon_but_not_for_ever() {
    let mut scheduler = scheduler(vec![message("a", &["x@example.net"])]);
    for (begins, next) in [(0, 6), (6, 12), (12, 18), (18, 576)] {
        let cut = attempt(&mut scheduler, at(begins));
        scheduler.ended(&cut, Ended::Cut, at(begins + 1));
        assert_eq!(scheduler.wake(), Some(at(next)), "at last (isqrt(18) + 20)²");
    }
}

#[test]
fn marks_of_an_earlier_life_are_obeyed() {
    let mut recovered = message("a", &["x@example.org", "y@example.org"]);
    recovered.recipients[0].done = true;
    let mut scheduler = scheduler(vec![recovered]);
    let only = attempt(&mut scheduler, at(0));
    assert_eq!(only.recipient, 1);
    assert!(scheduler.ended(&only, Ended::Delivered, at(0)).finished);
}

#[test]
fn times_of_an_earlier_life_are_kept() {
    let mut recovered = message("a", &["x@example.org", "y@example.net", "z@example.net"]);
    recovered.recipients[0].due = Some(at(3600));
    recovered.recipients[1].due = Some(at(1));
    let mut scheduler = Scheduler::new(Limits { local: 2, remote: 2, lifetime: Duration::from_secs(604_800) });
    scheduler.add(recovered, at(3000));
    let now = [attempt(&mut scheduler, at(3000)).recipient, attempt(&mut scheduler, at(3000)).recipient];
    assert_eq!(now, [1, 2], "one whose time has passed, one that was never tried");
    assert_eq!((scheduler.next(at(3599), route), scheduler.wake()), (None, Some(at(3600))));
    assert_eq!(attempt(&mut scheduler, at(3600)).recipient, 0);
}

#[test]
fn a_time_noted_under_a_wrong_clock_does_not_hold_mail_for_ever() {
    let mut recovered = message("a", &["x@example.net"]);
    recovered.recipients[0].due = Some(at(400_000_000));
    assert_eq!(scheduler(vec![recovered]).wake(), Some(at(400)));
}

#[test]
fn a_notice_that_cannot_be_kept_is_asked_for_less_and_less() {
    let mut scheduler = scheduler(vec![message("a", &["x@example.net"])]);
    let only = attempt(&mut scheduler, at(0));
    scheduler.ended(&only, failed(), at(1));
    let mut times = Vec::new();
    for _ in 0..5 {
        let wake = scheduler.wake().unwrap();
        times.push(wake.duration_since(at(0)).unwrap().as_secs());
        let Some(Work::Notice(id, failures)) = scheduler.next(wake, route) else { panic!("no notice") };
        scheduler.noticed(&id, &failures, false, wake);
    }
    assert_eq!(times, [1, 121, 441, 961, 1681]);
}
