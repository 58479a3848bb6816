//! Attempts: whatever the schedule says is due is given to `local` or `remote`, and what they say is written down.

use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use postkiln_ipc::delivery::Request;
use postkiln_ipc::{Channel as Conversation, ChannelError};
use postkiln_mail::{Outcome, QueueId};
use postkiln_queue::{Attempt, Channel, Ended, Step, Work};

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
        while shared.scheduler.borrow().running() != (0, 0) {
            shared.changed.notified().await;
        }
    };
    // Whoever is still at it then is cut off; marks are in the file already.
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
    write_down(&shared, &attempt.id, step);
    shared.changed.notify_one();
}

/// Hands the message over and waits for the outcome. An error means that the role went away: init starts it again.
async fn ask(shared: &Shared, attempt: &Attempt) -> Result<Outcome, ChannelError> {
    let (request, descriptor) = {
        let scheduler = shared.scheduler.borrow();
        let message = scheduler.message(&attempt.id).ok_or(ChannelError::Cut)?;
        let request = Request {
            id: message.id.clone(),
            sender: message.envelope.sender.clone(),
            recipient: message.envelope.recipients.get(attempt.recipient).ok_or(ChannelError::Cut)?.clone(),
            offset: message.offset,
            size: message.size,
        };
        (request, shared.queue.reader(message).map_err(|error| ChannelError::Io(std::io::Error::other(error)))?)
    };
    let door = match attempt.channel {
        Channel::Local => &shared.local,
        Channel::Remote => &shared.remote,
    };
    let mut conversation: Conversation<Request, Outcome> = door.open()?;
    conversation.send_with(&request, descriptor.as_fd()).await?;
    conversation.answer().await
}

/// Marks what is to be marked, or removes a finished message.
pub(super) fn write_down(shared: &Rc<Shared>, id: &QueueId, step: Step) {
    if step.finished {
        postkiln_log::info("end", &[("queue", id)]);
        let (queue, id) = (shared.queue.clone(), id.clone());
        // Removing a large file takes its time on some file systems.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = queue.remove(&id) {
                postkiln_log::error("remove", &[("queue", &id), ("problem", &postkiln_log::chain(&error))]);
            }
        });
        return;
    }
    let mut scheduler = shared.scheduler.borrow_mut();
    let Some(message) = scheduler.message_mut(id) else { return };
    let marked = step.done.into_iter().try_for_each(|recipient| shared.queue.mark_done(message, recipient));
    let noted = step.deferred.map_or(Ok(()), |(at, text)| shared.queue.note_deferral(message, at, &text));
    if let Err(error) = marked.and(noted) {
        // A lost mark means one delivery too many after a restart, nothing else.
        postkiln_log::error("mark", &[("queue", id), ("problem", &postkiln_log::chain(&error))]);
    }
}

fn log(shared: &Shared, attempt: &Attempt, outcome: &Result<Outcome, ChannelError>) {
    let scheduler = shared.scheduler.borrow();
    let Some(message) = scheduler.message(&attempt.id) else { return };
    let Some(recipient) = message.envelope.recipients.get(attempt.recipient) else { return };
    let (event, status, text) = match outcome {
        Ok(Outcome::Delivered(text)) => ("delivered", "2.0.0".to_owned(), text.clone()),
        Ok(Outcome::Deferred(status, text)) => ("deferred", status.to_string(), text.clone()),
        Ok(Outcome::Bounced(status, text)) => ("failed", status.to_string(), text.clone()),
        Err(error) => ("cut", "4.3.0".to_owned(), postkiln_log::chain(error)),
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

const LONGEST_SLEEP: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(5);
