//! The role `queued`: the one writer of the queue (qmail-queue, qmail-send, qmail-clean). It accepts messages from the
//! narrow door, gives each recipient to `local` or `remote` when its time has come, and reports failures. Knows nothing
//! about mailboxes, DNS or SMTP. Touches `queue/` and nothing else. Start at [`work`]; the files below are `intake`
//! (submissions and operators), `dispatch` (attempts), `notice` (bounces), `recovery` (the remains of an earlier life).

mod config;
mod dispatch;
mod intake;
mod notice;
mod recovery;

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use postkiln_bundle::Role;
use postkiln_ipc::Door;
use postkiln_log::Event;
use postkiln_queue::{Message, Queue, Scheduler};
use postkiln_sys::Inherited;
use tokio::sync::{Notify, watch};

use crate::error::NodeError;
use crate::role::{self, Seat};
use config::Config;

/// Runs the role until `init` stops it.
///
/// # Errors
/// When the queue cannot be used; `init` starts the role again, and the queue is recovered.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Queued, inherited, Config::read, |seat| async move { work(seat).await })
}

/// The data that the parts of the role share.
struct Shared {
    queue: Queue,
    scheduler: RefCell<Scheduler>,
    config: watch::Receiver<Arc<Config>>,
    local: Arc<Door>,
    remote: Arc<Door>,
    /// Marks and removals that are on their way to the disk.
    writing: Cell<usize>,
    /// There may be something to do.
    changed: Notify,
    /// The queue cannot promise anything any more: the role has to start again.
    broken: Notify,
}

impl Shared {
    fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }

    /// A message that is on stable storage begins its life in the schedule.
    fn schedule(&self, message: Message) {
        self.scheduler.borrow_mut().add(message, SystemTime::now());
        self.changed.notify_one();
    }
}

async fn work(mut seat: Seat<Config>) -> Result<(), NodeError> {
    let (local, remote) = (seat.door(Role::Local)?, seat.door(Role::Remote)?);
    let mut scheduler = Scheduler::new(seat.config().limits());
    let (queue, recovered) = tokio::select! {
        opened = recovery::open(seat.data().join("queue"), &seat.desk) => opened?,
        () = seat.stopped() => return Ok(()),
    };
    let stuck = recovery::tell(&recovered, &BTreeMap::new());
    postkiln_log::info(Event::Recovered, &[("messages", &recovered.messages.len())]);
    let now = SystemTime::now();
    for message in recovered.messages {
        scheduler.add(message, now);
    }
    let shared = Rc::new(Shared {
        queue,
        scheduler: RefCell::new(scheduler),
        config: seat.config.clone(),
        local,
        remote,
        writing: Cell::new(0),
        changed: Notify::new(),
        broken: Notify::new(),
    });
    let stopped = seat.stopped();
    let desk = shared.clone();
    seat.answer(CONVERSATIONS, move |caller, channel| intake::talk(desk.clone(), caller, channel))?;
    seat.ready();
    tokio::task::spawn_local(recovery::insist(shared.clone(), seat.desk.clone(), stuck));
    tokio::select! {
        () = dispatch::run(&shared) => Ok(()),
        () = shared.broken.notified() => Err(NodeError::Said("the queue has to be opened again".to_owned())),
        () = stopped => {
            dispatch::settle(&shared).await;
            Ok(())
        }
    }
}

/// Conversations per caller at the same time.
const CONVERSATIONS: usize = 1000;
