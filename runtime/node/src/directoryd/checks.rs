//! [`Checks`]: turns at checking passwords. A check takes a core and 19 MiB for a moment, so that few run at a time;
//! the order is by what a peer costs already, not by arrival: one that guesses over many connections waits behind
//! everybody else. Start at [`Checks::turn`].

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use postkiln_directory::network_of;
use tokio::sync::oneshot;

/// The checks that run and those that wait for a turn.
#[derive(Clone, Debug)]
pub(super) struct Checks(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    /// The number of checks that may begin now.
    free: usize,
    /// By cost, then by arrival.
    waiting: BTreeMap<(u32, u64), oneshot::Sender<Slot>>,
    arrivals: u64,
    /// The checks of each peer that run or wait.
    of_peer: HashMap<IpAddr, u32>,
}

/// A turn; it ends when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _slot: Slot,
    _counted: Counted,
}

impl Checks {
    /// So many at a time.
    pub(super) fn new(at_a_time: usize) -> Self {
        let inner = Inner { free: at_a_time, waiting: BTreeMap::new(), arrivals: 0, of_peer: HashMap::new() };
        Self(Rc::new(RefCell::new(inner)))
    }

    /// Waits for a turn of a peer with so many failures; nothing when there is none within [`PATIENCE`].
    pub(super) async fn turn(&self, peer: IpAddr, failures: u32) -> Option<Turn> {
        let counted = self.count(network_of(peer));
        let cost = failures.saturating_add(counted.before);
        let granted = {
            let mut inner = self.0.borrow_mut();
            if inner.free > 0 {
                inner.free -= 1;
                return Some(Turn { _slot: Slot(self.clone()), _counted: counted });
            }
            let (sender, receiver) = oneshot::channel();
            inner.arrivals += 1;
            let key = (cost, inner.arrivals);
            inner.waiting.insert(key, sender);
            receiver
        };
        let slot = tokio::time::timeout(PATIENCE, granted).await.ok()?.ok()?;
        Some(Turn { _slot: slot, _counted: counted })
    }

    fn count(&self, peer: IpAddr) -> Counted {
        let mut inner = self.0.borrow_mut();
        let count = inner.of_peer.entry(peer).or_default();
        let before = *count;
        *count += 1;
        Counted { checks: self.clone(), peer, before }
    }

    /// Gives a turn that has ended to the next.
    fn pass_on(&self) {
        let next = {
            let mut inner = self.0.borrow_mut();
            loop {
                match inner.waiting.pop_first() {
                    // Its patience is over.
                    Some((_, next)) if next.is_closed() => {}
                    Some((_, next)) => break Some(next),
                    None => {
                        inner.free += 1;
                        break None;
                    }
                }
            }
        };
        if let Some(next) = next {
            // Nothing runs between the look and this: a receiver that was there is there.
            let _ = next.send(Slot(self.clone()));
        }
    }
}

#[derive(Debug)]
struct Slot(Checks);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.pass_on();
    }
}

/// A check of a peer, from its arrival to its end.
#[derive(Debug)]
struct Counted {
    checks: Checks,
    peer: IpAddr,
    before: u32,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut inner = self.checks.0.borrow_mut();
        match inner.of_peer.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(inner.of_peer.remove(&self.peer)),
        }
    }
}

/// Shorter than the patience of mail programs.
const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_over_many_connections_waits_behind_others() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let checks = Checks::new(1);
            let peer = |number: u8| IpAddr::from([192, 0, 2, number]);
            let first = checks.turn(peer(1), 0).await.unwrap();
            let order: Rc<RefCell<Vec<(u8, u32)>>> = Rc::default();
            let arrive = |number: u8, failures: u32| {
                let (checks, order) = (checks.clone(), order.clone());
                tokio::task::spawn_local(async move {
                    let turn = checks.turn(peer(number), failures).await.unwrap();
                    order.borrow_mut().push((number, failures));
                    drop(turn);
                })
            };
            let mut waiting: Vec<_> = (0..3).map(|_| arrive(1, 0)).collect();
            waiting.push(arrive(2, 7));
            waiting.push(arrive(3, 0));
            // One that goes away takes no turn with it.
            let gone = arrive(4, 0);
            tokio::task::yield_now().await;
            gone.abort();
            tokio::task::yield_now().await;
            drop(first);
            for one in waiting {
                one.await.unwrap();
            }
            assert_eq!(*order.borrow(), [(3, 0), (1, 0), (1, 0), (1, 0), (2, 7)]);
            let inner = checks.0.borrow();
            assert!(inner.free == 1 && inner.of_peer.is_empty() && inner.waiting.is_empty(), "{inner:?}");
        });
    }
}
