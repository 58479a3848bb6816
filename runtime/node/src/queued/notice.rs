//! Bounces: what failed is reported in a message of its own, which is on stable storage before the failed recipients
//! count as done. Double bounces go to the postmaster, triple bounces nowhere.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use postkiln_log::Event;
use postkiln_mail::QueueId;
use postkiln_mail::bounce::{self, Failed, Notice, Settings};
use postkiln_queue::{Failure, Message, Queue};

use super::config::Config;
use super::{Shared, dispatch, intake};
use crate::error::{During, NodeError};

/// Reports failures; says so to the schedule, which asks again later when it was not possible.
pub(super) async fn report(shared: Rc<Shared>, id: QueueId, failures: Vec<Failure>) {
    let Some(message) = shared.scheduler.borrow().message(&id).cloned() else { return };
    let kept = match inject(&shared, message, failures.clone()).await {
        Ok(()) => true,
        Err(problem) => {
            postkiln_log::error(Event::Notice, &[("queue", &id), ("problem", &problem.told())]);
            false
        }
    };
    let step = shared.scheduler.borrow_mut().noticed(&id, &failures, kept, SystemTime::now());
    dispatch::write_down(&shared, &id, &step);
    shared.changed.notify_one();
}

async fn inject(shared: &Rc<Shared>, message: Message, failures: Vec<Failure>) -> Result<(), NodeError> {
    let (queue, config) = (shared.queue.clone(), shared.config());
    let id = message.id.clone();
    let made = tokio::task::spawn_blocking(move || build(&queue, &config, &message, &failures));
    match made.await.map_err(io::Error::from).during(|| "making a notice".to_owned())?? {
        None => postkiln_log::info(Event::TripleBounce, &[("queue", &id), ("text", &"discarding")]),
        Some(notice) => {
            postkiln_log::info(Event::Bounce, &[("queue", &id), ("notice", &notice.id)]);
            intake::log_accepted("queued", &notice);
            shared.schedule(notice);
        }
    }
    Ok(())
}

/// Blocks: reads the original, writes and syncs the notice. `None` for a triple bounce.
fn build(
    queue: &Queue,
    config: &Arc<Config>,
    message: &Message,
    failures: &[Failure],
) -> Result<Option<Message>, NodeError> {
    let now = SystemTime::now();
    let head = head(queue, message).unwrap_or_else(|problem| {
        // The sender hears of the failure all the same: waiting for the disk would end in no notice at all.
        postkiln_log::error(Event::Unreadable, &[("queue", &message.id), ("problem", &problem.told())]);
        Vec::new()
    });
    let failures: Vec<bounce::Failure> = failures.iter().filter_map(|failure| named(message, failure)).collect();
    let failed = Failed {
        id: &message.id,
        sender: &message.envelope.sender,
        arrived: timestamp(message.arrived),
        failures: &failures,
        head: &head,
        size: message.size,
    };
    let Some(notice) = bounce::notice(&settings(config), &failed, timestamp(now)) else { return Ok(None) };
    let Notice { envelope, prefix, is_whole, suffix } = notice;
    let mut incoming = queue.begin(now, envelope)?;
    let original = if is_whole { head.as_slice() } else { &[] };
    for piece in [&prefix, original, &suffix] {
        incoming.write(piece)?;
    }
    Ok(Some(incoming.commit()?))
}

/// The beginning of the original.
fn head(queue: &Queue, message: &Message) -> Result<Vec<u8>, NodeError> {
    let file = File::from(queue.reader(&message.id)?);
    let mut head = vec![0; usize::try_from(message.size.min(WHOLE_UP_TO)).unwrap_or_default()];
    file.read_exact_at(&mut head, message.offset).during(|| message.id.to_string())?;
    Ok(head)
}

fn settings(config: &Config) -> Settings {
    Settings {
        hostname: config.hostname.clone(),
        from: config.bounce_from.clone(),
        double_bounce_to: config.double_bounce_to.clone(),
        whole_up_to: WHOLE_UP_TO,
    }
}

fn named(message: &Message, failure: &Failure) -> Option<bounce::Failure> {
    let recipient = message.envelope.recipients.get(failure.recipient)?.clone();
    Some(bounce::Failure { recipient, status: failure.status, text: failure.text.clone() })
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Octets of a message that are sent back: enough for a letter, too little for an attachment nobody asked for.
const WHOLE_UP_TO: u64 = 64 << 10;
