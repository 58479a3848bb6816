//! The narrow door: `smtpd` and `local` submit, `controld` lists and flushes. Who may say what is decided by the hatch
//! the conversation came through.

use std::rc::Rc;
use std::time::SystemTime;

use postkiln_address::{Address, ReversePath};
use postkiln_control::list::MOST_MEMBERS;
use postkiln_ipc::queue::{Entry, Reply, Request, Waiting, pieces};
use postkiln_ipc::{Channel, ChannelError};
use postkiln_log::Event;
use postkiln_mail::{Envelope, QueueId, Status};
use postkiln_queue::{Incoming, Message, QueueError, Recipient};

use super::Shared;
use crate::clock::signed;

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
            Request::Submit(sender) if !operator => {
                let Some(envelope) = envelope(channel, sender).await? else { return Ok(()) };
                if !submission(shared, caller, channel, envelope).await? {
                    return Ok(());
                }
            }
            Request::List if operator => list(shared, channel).await?,
            Request::Flush if operator => {
                shared.scheduler.borrow_mut().flush(SystemTime::now());
                shared.changed.notify_one();
                postkiln_log::info(Event::Flush, &[]);
                channel.send(&Reply::Done).await?;
            }
            // The request is out of order, or not this caller's to make.
            _ => return Err(ChannelError::Malformed),
        }
    }
    Ok(())
}

/// The recipients, which come in pieces; nothing when the caller went away before `Begin`. No more are kept than the
/// largest list has members; one more tells [`submission`] that there were too many.
async fn envelope(channel: &mut Conversation, sender: ReversePath) -> Result<Option<Envelope>, ChannelError> {
    let mut recipients: Vec<Address> = Vec::new();
    loop {
        match channel.receive().await? {
            None => return Ok(None),
            Some((Request::Recipients(piece), _)) => {
                recipients.extend(piece.into_iter().take((MOST_MEMBERS + 1).saturating_sub(recipients.len())));
            }
            Some((Request::Begin, _)) => return Ok(Some(Envelope { sender, recipients })),
            Some(_) => return Err(ChannelError::Malformed),
        }
    }
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
    if envelope.recipients.len() > MOST_MEMBERS {
        channel.send(&refusal(shared, &QueueError::Envelope)).await?;
        return Ok(true);
    }
    let mut incoming = match begin(shared, envelope).await {
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
            Some((Request::Content(bytes), _)) => {
                incoming = match incoming {
                    Ok(incoming) => add(incoming, bytes).await,
                    failed => failed,
                };
            }
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

/// Creates the file on another thread.
async fn begin(shared: &Shared, envelope: Envelope) -> Result<Incoming, QueueError> {
    let queue = shared.queue.clone();
    let made = tokio::task::spawn_blocking(move || queue.begin(SystemTime::now(), envelope));
    made.await.map_err(|error| interrupted("create message", "", error))?
}

/// Adds to the message; on another thread when that touches the disk.
async fn add(mut incoming: Incoming, bytes: Vec<u8>) -> Result<Incoming, QueueError> {
    if incoming.has_room(bytes.len()) {
        incoming.write(&bytes)?;
        return Ok(incoming);
    }
    let id = incoming.id().to_string();
    let written = tokio::task::spawn_blocking(move || incoming.write(&bytes).map(|()| incoming));
    written.await.map_err(|error| interrupted("write message", &id, error))?
}

fn interrupted(step: &'static str, id: &str, error: tokio::task::JoinError) -> QueueError {
    QueueError::Message { step, id: id.to_owned(), source: std::io::Error::other(error) }
}

/// Makes the message durable on another thread, so that a slow disk holds up nobody else.
pub(super) async fn keep(incoming: Incoming) -> Result<Message, QueueError> {
    let id = incoming.id().to_string();
    let kept = tokio::task::spawn_blocking(move || incoming.commit());
    kept.await.map_err(|error| interrupted("commit message", &id, error))?
}

fn accept(shared: &Shared, caller: &str, message: Message) -> Reply {
    let id = message.id.clone();
    log_accepted(caller, &message);
    shared.schedule(message);
    Reply::Accepted(id)
}

pub(super) fn log_accepted(by: &str, message: &Message) {
    postkiln_log::info(
        Event::Accepted,
        &[
            ("queue", &message.id),
            ("from", &format_args!("<{}>", message.envelope.sender)),
            ("recipients", &message.envelope.recipients.len()),
            ("size", &message.size),
            ("by", &by),
        ],
    );
}

/// The reply to a caller whose message is refused, with a line in the log. A queue that is of no use any more
/// ends the role.
fn refusal(shared: &Shared, error: &QueueError) -> Reply {
    postkiln_log::error(Event::Refused, &[("problem", &postkiln_log::chain(error))]);
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
            waiting(shared, channel, &id).await?;
        }
    }
    channel.send(&Reply::Done).await
}

/// The recipients that are not done, some thousands at a time: the message may end meanwhile, and others
/// have their turn.
async fn waiting(shared: &Shared, channel: &mut Conversation, id: &QueueId) -> Result<(), ChannelError> {
    let mut from = 0;
    loop {
        let waiting: Vec<Waiting> = {
            let scheduler = shared.scheduler.borrow();
            let Some(message) = scheduler.message(id) else { return Ok(()) };
            let recipients = message.envelope.recipients.iter().zip(&message.recipients).skip(from);
            if recipients.len() == 0 {
                return Ok(());
            }
            let one = |(address, state): (&Address, &Recipient)| Waiting {
                recipient: address.clone(),
                deferral: state.text.clone(),
            };
            recipients.take(AT_ONCE).filter(|(_, state)| !state.done).map(one).collect()
        };
        from += AT_ONCE;
        for piece in pieces(&waiting, |one| one.deferral.len() + LONGEST_ADDRESS) {
            channel.send(&Reply::Waiting(piece.to_vec())).await?;
        }
    }
}

fn entry(message: &Message, next: Option<SystemTime>) -> Entry {
    Entry {
        id: message.id.clone(),
        sender: message.envelope.sender.clone(),
        recipients: message.envelope.recipients.len() as u64,
        size: message.size,
        arrived: signed(message.arrived),
        next_attempt: signed(next.unwrap_or_else(SystemTime::now)),
    }
}

/// Recipients that are looked at without a pause.
const AT_ONCE: usize = 2000;
/// Octets of an address at most (RFC 5321 §4.5.3.1.3), with room for its lengths.
const LONGEST_ADDRESS: usize = 330;
