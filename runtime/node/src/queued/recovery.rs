//! The start of the queue: what an earlier life left is read on another thread, however long that takes; entries that
//! the disk does not let us read are looked at again and again, and `status` tells of them meanwhile.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use postkiln_log::Event;
use postkiln_queue::{Finding, Queue, QueueError, Recovered};

use super::Shared;
use crate::aside::aside;
use crate::error::{During, NodeError};
use crate::role::Desk;

/// Names of entries that cannot be used, with the reasons.
pub(super) type Stuck = BTreeMap<String, String>;

/// Opens the queue below a directory.
pub(super) async fn open(directory: PathBuf, desk: &Desk) -> Result<(Queue, Recovered), NodeError> {
    let nonce = nonce()?;
    let mut opening = tokio::task::spawn_blocking(move || Queue::open(&directory, nonce));
    let opened = if let Ok(opened) = tokio::time::timeout(SOON, &mut opening).await {
        opened
    } else {
        desk.note("the queue is being read; mail is put off until that is done");
        let opened = opening.await;
        desk.note("");
        opened
    };
    Ok(opened.map_err(std::io::Error::other).during(|| "reading the queue".to_owned())??)
}

/// Logs the findings that are new; gives the entries that are stuck.
pub(super) fn tell(recovered: &Recovered, before: &Stuck) -> Stuck {
    let mut stuck = Stuck::new();
    for finding in &recovered.findings {
        match finding {
            Finding::Damaged(name) => {
                postkiln_log::error(Event::Damaged, &[("queue", name), ("moved", &"queue/damaged")]);
            }
            Finding::Unfinished(name) => postkiln_log::info(Event::Forgotten, &[("queue", name)]),
            Finding::Finished(name) => postkiln_log::info(Event::End, &[("queue", name)]),
            Finding::Stuck(name, problem) => {
                if before.get(name) != Some(problem) {
                    postkiln_log::error(Event::Stuck, &[("queue", name), ("problem", problem)]);
                }
                stuck.insert(name.clone(), problem.clone());
            }
        }
    }
    stuck
}

/// Looks at stuck entries again until there are none.
pub(super) async fn insist(shared: Rc<Shared>, desk: Desk, mut stuck: Stuck) {
    if stuck.is_empty() {
        return;
    }
    while let Some((name, problem)) = stuck.first_key_value() {
        let others = if stuck.len() == 1 { String::new() } else { format!(" and {} others", stuck.len() - 1) };
        desk.note(&format!("queue/messages/{name}{others} cannot be used: {problem}"));
        tokio::time::sleep(AGAIN).await;
        let (queue, names) = (shared.queue.clone(), stuck.keys().cloned().collect());
        let looked = aside(move || {
            queue.look_again(&names).map_err(|error: QueueError| std::io::Error::other(postkiln_log::chain(&error)))
        });
        match looked.await {
            Ok(recovered) => {
                stuck = tell(&recovered, &stuck);
                for message in recovered.messages {
                    shared.schedule(message);
                }
            }
            Err(error) => postkiln_log::error(Event::Stuck, &[("problem", &error)]),
        }
    }
    desk.note("");
}

/// A number that tells the names of this start from those of others.
fn nonce() -> Result<u16, NodeError> {
    postkiln_sys::random().map(u16::from_le_bytes).during(|| "the source of random numbers".to_owned())
}

/// A start that takes longer than this is told to the operator.
const SOON: Duration = Duration::from_secs(2);
/// Between two looks at stuck entries.
const AGAIN: Duration = Duration::from_secs(30);
