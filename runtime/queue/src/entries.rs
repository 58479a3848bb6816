//! Group commit of names: one `fsync` of the directory serves every message whose file existed when it began.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::QueueError;

/// The numbers of syncs of the directory, begun and done.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    begun: u64,
    done: u64,
    running: bool,
    failed: bool,
}

/// The moment when a name was made: every sync that begins later covers the name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made(u64);

impl Entries {
    /// Must be called after a file was created.
    pub(crate) fn made(&self) -> Made {
        Made(self.lock().begun)
    }

    /// Refuses after a failed sync: the kernel reports such an error once and then calls the pages clean.
    pub(crate) fn check(&self) -> Result<(), QueueError> {
        if self.lock().failed { Err(QueueError::Unsynced) } else { Ok(()) }
    }

    /// Returns once a sync that began after `made` has succeeded. Runs `sync` itself unless another thread's serves.
    pub(crate) fn settle(&self, made: Made, sync: impl FnOnce() -> io::Result<()>) -> Result<(), QueueError> {
        let mut state = self.lock();
        loop {
            if state.failed {
                return Err(QueueError::Unsynced);
            }
            if state.done > made.0 {
                return Ok(());
            }
            if !state.running {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.running = true;
        state.begun += 1;
        let number = state.begun;
        drop(state);
        let result = sync();
        let mut state = self.lock();
        state.running = false;
        state.failed = result.is_err();
        if result.is_ok() {
            state.done = number;
        }
        drop(state);
        self.changed.notify_all();
        result.map_err(|_| QueueError::Unsynced)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_serves_names_made_before_it_only() {
        let entries = Entries::default();
        let (first, second) = (entries.made(), entries.made());
        entries.settle(first, || Ok(())).unwrap();
        entries.settle(second, || panic!("was already served")).unwrap();
        let third = entries.made();
        let mut synced = false;
        entries
            .settle(third, || {
                synced = true;
                Ok(())
            })
            .unwrap();
        assert!(synced);
    }

    #[test]
    fn after_a_failed_sync_nothing_is_promised() {
        let entries = Entries::default();
        let made = entries.made();
        assert!(entries.settle(made, || Err(io::ErrorKind::Other.into())).is_err());
        assert!(entries.settle(made, || Ok(())).is_err());
        assert!(entries.check().is_err());
    }
}
