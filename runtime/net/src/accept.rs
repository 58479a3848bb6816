//! [`accept`]: takes in clients, within limits for all and for each peer.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The largest numbers of connections (tcpserver's `-c`, and the same for one peer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For all peers together; further clients wait in the system's backlog.
    pub total: usize,
    /// For one peer (with IPv6, one /64); further connections are closed.
    pub per_peer: usize,
}

/// The connected peers. Shared by the listeners of a role.
#[derive(Clone, Debug)]
pub struct Counting {
    per_peer: usize,
    state: Rc<State>,
}

#[derive(Debug, Default)]
struct State {
    most: Cell<usize>,
    total: watch::Sender<usize>,
    peers: RefCell<HashMap<IpAddr, usize>>,
}

/// One connection's place; dropping it gives the place back.
#[derive(Debug)]
pub struct Place {
    key: IpAddr,
    state: Rc<State>,
}

impl Counting {
    /// A count without connections.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let state = State { most: Cell::new(limits.total), ..State::default() };
        Self { per_peer: limits.per_peer, state: Rc::new(state) }
    }

    /// Sets another limit for all peers together. Connected clients stay.
    pub fn set_total(&self, total: usize) {
        self.state.most.set(total);
    }

    /// Waits until there is room for one more.
    async fn room(&self) {
        self.until(|total| total < self.state.most.get()).await;
    }

    /// Waits until nobody is connected.
    pub async fn empty(&self) {
        self.until(|total| total == 0).await;
    }

    async fn until(&self, enough: impl Fn(usize) -> bool) {
        // The sender lives as long as we do, so this ends only when there is room.
        let _ = self.state.total.subscribe().wait_for(|total| enough(*total)).await;
    }

    /// A place for this peer; `None` when the peer has as many as it may have.
    pub fn enter(&self, peer: IpAddr) -> Option<Place> {
        let key = group(peer);
        let mut peers = self.state.peers.borrow_mut();
        let count = peers.entry(key).or_default();
        if *count >= self.per_peer {
            return None;
        }
        *count += 1;
        self.state.total.send_modify(|total| *total += 1);
        Some(Place { key, state: self.state.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut peers = self.state.peers.borrow_mut();
        if let Some(count) = peers.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                peers.remove(&self.key);
            }
        }
        self.state.total.send_modify(|total| *total = total.saturating_sub(1));
    }
}

/// Takes connections from an inherited listener for ever, one local task each: `handle` gets the connection, the peer's
/// address (an IPv4 peer on a dual-stack socket as IPv4) and its place.
///
/// # Errors
/// When the descriptor is no listener.
pub async fn accept<F: Future<Output = ()> + 'static>(
    listener: OwnedFd,
    counting: Counting,
    handle: impl Fn(TcpStream, SocketAddr, Place) -> F,
) -> io::Result<()> {
    let listener = std::net::TcpListener::from(listener);
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    loop {
        counting.room().await;
        match listener.accept().await {
            Ok((connection, peer)) => {
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                if let Some(place) = counting.enter(peer.ip()) {
                    tokio::task::spawn_local(handle(connection, peer, place));
                }
            }
            // A peer that has gone again does not matter. Without descriptors it only helps to wait until some are
            // closed.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => tokio::time::sleep(NO_DESCRIPTORS).await,
        }
    }
}

/// The network by which an IPv6 peer is known: a person has at least a /64 to call from.
fn group(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(peer) => IpAddr::V4(peer),
        IpAddr::V6(peer) => IpAddr::V6((peer.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

const NO_DESCRIPTORS: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_waited_for() {
        let counting = Counting::new(Limits { total: 1, per_peer: 1 });
        let place = counting.enter("192.0.2.1".parse().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(tokio::task::LocalSet::new().run_until(async move {
            let waiting = counting.clone();
            let empty = tokio::task::spawn_local(async move { waiting.empty().await });
            tokio::task::yield_now().await;
            assert!(!empty.is_finished());
            drop(place);
            empty.await.unwrap();
            counting.room().await;
        }));
    }

    #[test]
    fn another_limit_holds_from_then_on() {
        let counting = Counting::new(Limits { total: 1, per_peer: 5 });
        let place = counting.enter("192.0.2.1".parse().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            counting.set_total(2);
            counting.room().await;
            counting.set_total(1);
            drop(place);
            counting.room().await;
        });
    }

    #[test]
    fn a_peer_gets_its_share_and_gives_it_back() {
        let counting = Counting::new(Limits { total: 10, per_peer: 2 });
        let peer = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = counting.enter(peer("192.0.2.1"));
        let second = counting.enter(peer("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(counting.enter(peer("192.0.2.1")).is_none());
        assert!(counting.enter(peer("192.0.2.2")).is_some());
        drop(first);
        assert!(counting.enter(peer("192.0.2.1")).is_some());
        let one = counting.enter(peer("2001:db8::1"));
        let two = counting.enter(peer("2001:db8::2"));
        assert!(one.is_some() && two.is_some() && counting.enter(peer("2001:db8::3")).is_none());
        assert!(counting.enter(peer("2001:db8:0:1::3")).is_some());
    }
}
