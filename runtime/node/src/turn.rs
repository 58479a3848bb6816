//! How a role goes from one bundle to the next when that takes more than another configuration: what has to be written
//! or fetched first is done in its turn, and `init` hears the answer when it is done. Knows nothing about the work
//! itself. `role.rs` gives the turns, [`Seat::turns`](crate::role::Seat::turns) takes them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::error::NodeError;

/// The next thing to do.
pub(crate) enum Turn<C> {
    /// Make everything ready to serve this configuration; nobody may notice yet. A refusal is the whole node's, and its
    /// text reaches the operator.
    Prepare(Arc<C>, oneshot::Sender<Result<(), NodeError>>),
    /// Serve what was prepared, and say so when it is served.
    Commit(oneshot::Sender<()>),
    /// Forget what was prepared.
    Abort,
}

/// Where turns are given. Until somebody takes them there is nothing to wait for.
pub(crate) struct Turns<C>(Rc<RefCell<Option<mpsc::UnboundedSender<Turn<C>>>>>);

impl<C> Turns<C> {
    /// Nobody takes them.
    pub(crate) fn new() -> Self {
        Self(Rc::default())
    }

    /// Takes every turn from now on.
    pub(crate) fn take(&self) -> mpsc::UnboundedReceiver<Turn<C>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.replace(Some(sender));
        receiver
    }

    /// Has a configuration prepared; the answer comes later. `None`: there is nothing to prepare.
    pub(super) fn prepare(&self, config: Arc<C>) -> Option<oneshot::Receiver<Result<(), NodeError>>> {
        let (sender, receiver) = oneshot::channel();
        self.give(Turn::Prepare(config, sender)).then_some(receiver)
    }

    /// Has the prepared configuration served; the answer comes later. `None`: it is served.
    pub(super) fn commit(&self) -> Option<oneshot::Receiver<()>> {
        let (sender, receiver) = oneshot::channel();
        self.give(Turn::Commit(sender)).then_some(receiver)
    }

    /// Has the prepared configuration forgotten.
    pub(super) fn abort(&self) {
        self.give(Turn::Abort);
    }

    fn give(&self, turn: Turn<C>) -> bool {
        self.0.borrow().as_ref().is_some_and(|turns| turns.send(turn).is_ok())
    }
}

impl<C> Clone for Turns<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
