//! The narrow door: `smtpd` and `local` submit, `controld` lists and flushes. Who may say what is decided by the hatch the
//! conversation came through.

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postkiln_ipc::queue::{Entry, Reply, Request};
use postkiln_ipc::{Channel, ChannelError};
use postkiln_mail::{Envelope, QueueId, Status};
use postkiln_queue::{Incoming, Message, QueueError};

use super::Shared;

type Conversation = Channel<Reply, Request>;

/// One conversation, until the other side ends it.
pub(super) async fn talk(
    shared: Rc<Shared>,
    caller: Rc<str>,
    mut conversation: Conversation,
) -> Result<(), ChannelError> {
    let (shared, caller, channel) = (&shared, &*caller, &mut conversation);
    let operator = caller == "controld";
    while let Some((request, _)) = channel.receive().await? {
        match request {
            Request::Submit(envelope) if !operator => {
                if !submission(shared, caller, channel, envelope).await? {
                    return Ok(());
                }
            }
            Request::List if operator => list(shared, channel).await?,
            Request::Flush if operator => {
                shared.scheduler.borrow_mut().flush(SystemTime::now());
                shared.changed.notify_one();
                postkiln_log::info("flush", &[]);
                channel.send(&Reply::Done).await?;
            }
            // Out of order, or not this caller's to say.
            _ => return Err(ChannelError::Malformed),
        }
    }
    Ok(())
}

/// One message; false when the caller went away before `Commit`.
async fn submission(
    shared: &Rc<Shared>,
    caller: &str,
    channel: &mut Conversation,
    envelope: Envelope,
) -> Result<bool, ChannelError> {
    if envelope.recipients.is_empty() {
        channel.send(&Reply::Refused(Status(5, 5, 4), "no recipients (#5.5.4)".to_owned())).await?;
        return Ok(true);
    }
    let mut incoming = match shared.queue.begin(SystemTime::now(), envelope) {
        Ok(incoming) => Ok(incoming),
        Err(error) => {
            channel.send(&refusal(shared, &error)).await?;
            return Ok(true);
        }
    };
    channel.send(&Reply::Go).await?;
    loop {
        match channel.receive().await? {
            // Dropping the message forgets it.
            None => return Ok(false),
            Some((Request::Content(bytes), _)) => incoming = incoming.and_then(|incoming| add(incoming, &bytes)),
            Some((Request::Commit, _)) => break,
            Some(_) => return Err(ChannelError::Malformed),
        }
    }
    let reply = match incoming {
        Ok(incoming) => match keep(incoming).await {
            Ok(message) => accept(shared, caller, message),
            Err(error) => refusal(shared, &error),
        },
        Err(error) => refusal(shared, &error),
    };
    channel.send(&reply).await?;
    Ok(true)
}

fn add(mut incoming: Incoming, bytes: &[u8]) -> Result<Incoming, QueueError> {
    incoming.write(bytes)?;
    Ok(incoming)
}

/// Makes the message durable on another thread, so that a slow disk holds up nobody else.
pub(super) async fn keep(incoming: Incoming) -> Result<Message, QueueError> {
    let id = incoming.id().clone();
    let lost = |error: tokio::task::JoinError| QueueError::Message {
        step: "commit message",
        id: id.to_string(),
        source: std::io::Error::other(error),
    };
    tokio::task::spawn_blocking(move || incoming.commit()).await.map_err(lost)?
}

fn accept(shared: &Shared, caller: &str, message: Message) -> Reply {
    let id = message.id.clone();
    log_accepted(caller, &message);
    shared.schedule(message);
    Reply::Accepted(id)
}

pub(super) fn log_accepted(by: &str, message: &Message) {
    postkiln_log::info(
        "accepted",
        &[
            ("queue", &message.id),
            ("from", &format_args!("<{}>", message.envelope.sender)),
            ("recipients", &message.envelope.recipients.len()),
            ("size", &message.size),
            ("by", &by),
        ],
    );
}

/// What the caller hears, what the log says, and the end of the role when the queue is of no use any more.
fn refusal(shared: &Shared, error: &QueueError) -> Reply {
    postkiln_log::error("refused", &[("problem", &postkiln_log::chain(error))]);
    if matches!(error, QueueError::Unsynced) {
        shared.broken.notify_one();
    }
    let status = error.status();
    let text = match status {
        Status(4, 3, 1) => "qq write error or disk full",
        Status(5, ..) => "envelope too long for qq",
        _ => "qq trouble creating files in queue",
    };
    Reply::Refused(status, format!("{text} (#{status})"))
}

async fn list(shared: &Shared, channel: &mut Conversation) -> Result<(), ChannelError> {
    // Names first, then one message after the other: the scheduler is not borrowed while the caller reads.
    let ids: Vec<QueueId> = shared.scheduler.borrow().messages().map(|(message, _)| message.id.clone()).collect();
    for id in ids {
        let entry = shared.scheduler.borrow().find(&id).map(|(message, next)| entry(message, next));
        if let Some(entry) = entry {
            channel.send(&Reply::Entry(entry)).await?;
        }
    }
    channel.send(&Reply::Done).await
}

fn entry(message: &Message, next: Option<SystemTime>) -> Entry {
    let recipients = message.envelope.recipients.iter().zip(&message.recipients);
    let waiting = recipients.filter(|(_, state)| !state.done);
    Entry {
        id: message.id.clone(),
        envelope: message.envelope.clone(),
        size: message.size,
        arrived: seconds(message.arrived),
        next_attempt: seconds(next.unwrap_or_else(SystemTime::now)),
        waiting: waiting.map(|(address, state)| (address.to_string(), state.text.clone())).collect(),
    }
}

fn seconds(time: SystemTime) -> i64 {
    let age = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(age.as_secs()).unwrap_or(i64::MAX)
}
