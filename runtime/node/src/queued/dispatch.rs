//! Attempts: recipients that the schedule calls due are given to `local` or `remote`, and the outcomes
//! are written down.

use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use postkiln_ipc::delivery::Request;
use postkiln_ipc::{Channel as Conversation, ChannelError};
use postkiln_log::Event;
use postkiln_mail::{Outcome, QueueId, Status};
use postkiln_queue::{Attempt, Channel, Ended, QueueError, Step, Work};

use super::{Shared, notice};

/// Starts work as it becomes due; does not end.
pub(super) async fn run(shared: &Rc<Shared>) {
    let mut config = shared.config.clone();
    loop {
        start_due(shared);
        let wake = shared.scheduler.borrow().wake();
        let wait = wake.map_or(LONGEST_SLEEP, |at| at.duration_since(SystemTime::now()).unwrap_or_default());
        tokio::select! {
            () = shared.changed.notified() => {}
            // The clock may be set while we sleep.
            () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
            changed = config.changed() => {
                shared.scheduler.borrow_mut().set_limits(shared.config().limits());
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits, within limits, for what runs: a delivery that is cut off may come twice.
pub(super) async fn settle(shared: &Rc<Shared>) {
    let quiet = async {
        while shared.scheduler.borrow().running() != (0, 0) || shared.writing.get() > 0 {
            shared.changed.notified().await;
        }
    };
    // Attempts that still run then are cut off; marks are in the file already.
    let _ = tokio::time::timeout(SETTLE, quiet).await;
}

fn start_due(shared: &Rc<Shared>) {
    let config = shared.config();
    let now = SystemTime::now();
    loop {
        let work = shared.scheduler.borrow_mut().next(now, |recipient| config.channel(recipient));
        match work {
            Some(Work::Attempt(attempt)) => drop(tokio::task::spawn_local(perform(shared.clone(), attempt))),
            Some(Work::Notice(id, failures)) => {
                drop(tokio::task::spawn_local(notice::report(shared.clone(), id, failures)));
            }
            None => return,
        }
    }
}

async fn perform(shared: Rc<Shared>, attempt: Attempt) {
    let outcome = ask(&shared, &attempt).await;
    log(&shared, &attempt, &outcome);
    let ended = match outcome {
        Ok(Outcome::Delivered(_)) => Ended::Delivered,
        Ok(Outcome::Deferred(status, text)) => Ended::Deferred(status, text),
        Ok(Outcome::Bounced(status, text)) => Ended::Failed(status, text),
        Err(_) => Ended::Cut,
    };
    let step = shared.scheduler.borrow_mut().ended(&attempt, ended, SystemTime::now());
    write_down(&shared, &attempt.id, &step);
    shared.changed.notify_one();
}

/// Hands the message over and waits for the outcome. An error means that the role went away: init starts it again.
async fn ask(shared: &Shared, attempt: &Attempt) -> Result<Outcome, ChannelError> {
    let request = {
        let scheduler = shared.scheduler.borrow();
        let message = scheduler.message(&attempt.id).ok_or(ChannelError::Cut)?;
        Request {
            id: message.id.clone(),
            sender: message.envelope.sender.clone(),
            recipient: message.envelope.recipients.get(attempt.recipient).ok_or(ChannelError::Cut)?.clone(),
            offset: message.offset,
            size: message.size,
        }
    };
    let descriptor = match open(shared, &attempt.id).await {
        Ok(descriptor) => descriptor,
        Err(outcome) => return Ok(outcome),
    };
    let door = match attempt.channel {
        Channel::Local => &shared.local,
        Channel::Remote => &shared.remote,
    };
    let mut conversation: Conversation<Request, Outcome> = door.open()?;
    conversation.send_with(&request, descriptor.as_fd()).await?;
    conversation.answer().await
}

/// Opens the message for one attempt. One whose file is gone has failed, since no later attempt can find it: its sender
/// hears so, and something else in its place is set aside. Any other trouble may pass.
async fn open(shared: &Shared, id: &QueueId) -> Result<OwnedFd, Outcome> {
    let (queue, id) = (shared.queue.clone(), id.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let opened = queue.reader(&id);
        if let Err(QueueError::Gone(_)) = &opened {
            // This fails when there is nothing at all under that name.
            let moved = queue.set_aside(&id).is_ok();
            postkiln_log::error(Event::Gone, &[("queue", &id), ("moved", &if moved { "queue/damaged" } else { "" })]);
        }
        opened
    });
    match opened.await {
        Ok(Ok(descriptor)) => Ok(descriptor),
        Ok(Err(QueueError::Gone(_))) => Err(Outcome::Bounced(Status(5, 3, 0), GONE.to_owned())),
        Ok(Err(error)) => Err(Outcome::Deferred(Status(4, 3, 0), postkiln_log::chain(&error))),
        Err(error) => Err(Outcome::Deferred(Status(4, 3, 0), error.to_string())),
    }
}

/// Marks what is to be marked, or removes a finished message: on another thread, since a disk may be slow.
pub(super) fn write_down(shared: &Rc<Shared>, id: &QueueId, step: &Step) {
    let marks = if step.finished {
        postkiln_log::info(Event::End, &[("queue", id)]);
        None
    } else if step.done.is_empty() && step.deferred.is_none() {
        return;
    } else {
        let mut scheduler = shared.scheduler.borrow_mut();
        let Some(message) = scheduler.message_mut(id) else { return };
        Some(message.mark(&step.done, step.deferred.as_ref()))
    };
    let (shared, queue, id) = (shared.clone(), shared.queue.clone(), id.clone());
    shared.writing.set(shared.writing.get() + 1);
    tokio::task::spawn_local(async move {
        let write = move || {
            let (event, written) = match marks {
                Some(marks) => (Event::Mark, queue.write(&marks)),
                None => (Event::Remove, queue.remove(&id)),
            };
            if let Err(error) = written {
                // A lost mark means one delivery too many after a restart, nothing else.
                postkiln_log::error(event, &[("queue", &id), ("problem", &postkiln_log::chain(&error))]);
            }
        };
        let _ = tokio::task::spawn_blocking(write).await;
        shared.writing.set(shared.writing.get() - 1);
        shared.changed.notify_one();
    });
}

fn log(shared: &Shared, attempt: &Attempt, outcome: &Result<Outcome, ChannelError>) {
    let scheduler = shared.scheduler.borrow();
    let Some(message) = scheduler.message(&attempt.id) else { return };
    let Some(recipient) = message.envelope.recipients.get(attempt.recipient) else { return };
    let (event, status, text) = match outcome {
        Ok(Outcome::Delivered(text)) => (Event::Delivered, "2.0.0".to_owned(), text.clone()),
        Ok(Outcome::Deferred(status, text)) => (Event::Deferred, status.to_string(), text.clone()),
        Ok(Outcome::Bounced(status, text)) => (Event::Failed, status.to_string(), text.clone()),
        Err(error) => (Event::Cut, "4.3.0".to_owned(), postkiln_log::chain(error)),
    };
    let channel = if attempt.channel == Channel::Local { "local" } else { "remote" };
    let delay = SystemTime::now().duration_since(message.arrived).unwrap_or_default();
    postkiln_log::info(
        event,
        &[
            ("queue", &attempt.id),
            ("from", &format_args!("<{}>", message.envelope.sender)),
            ("to", recipient),
            ("channel", &channel),
            ("status", &status),
            ("delay", &format_args!("{}s", delay.as_secs())),
            ("text", &text),
        ],
    );
}

const GONE: &str = "The message was lost on this system before it could be delivered. (#5.3.0)";
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(5);
