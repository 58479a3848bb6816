//! Doors: who may begin a conversation with whom. For every (caller, callee) pair of the service table `init` makes one
//! pair of SOCK_SEQPACKET sockets and keeps both ends, so that either side may die and be started again without the
//! other noticing. The caller holds the [`Door`], the callee the [`Hatch`]. A conversation begins when the caller sends
//! one end of a fresh stream pair through the door. The callee knows the caller by the hatch that the call came
//! through.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as BlockingStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair, sockopt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::channel::{BlockingChannel, Channel, receive_descriptor, send_descriptor};

/// The caller's side: may begin conversations.
#[derive(Debug)]
pub struct Door(OwnedFd);

impl Door {
    /// Takes the descriptor inherited from `init`.
    #[must_use]
    pub const fn new(inherited: OwnedFd) -> Self {
        Self(inherited)
    }

    /// Begins a conversation.
    ///
    /// # Errors
    /// When the callee's backlog is full or descriptors have run out: temporary, like a refused connection.
    pub fn open<S: Serialize, R: DeserializeOwned>(&self) -> io::Result<Channel<S, R>> {
        let ours = self.call()?;
        ours.set_nonblocking(true)?;
        Ok(Channel::new(UnixStream::from_std(ours)?))
    }

    /// Begins a conversation; while the callee's backlog is full, tries again for [`PATIENCE`]: a hundred clients may
    /// ask in the same moment, and their callee has had no turn yet.
    ///
    /// # Errors
    /// The same as those of [`Self::open`].
    pub async fn open_soon<S: Serialize, R: DeserializeOwned>(&self) -> io::Result<Channel<S, R>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.open() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                    tokio::time::sleep(PAUSE).await;
                }
                opened => return opened,
            }
        }
    }

    /// Begins a conversation for code that blocks.
    ///
    /// # Errors
    /// The same as those of [`Self::open`].
    pub fn open_blocking<S: Serialize, R: DeserializeOwned>(&self) -> io::Result<BlockingChannel<S, R>> {
        Ok(BlockingChannel::new(self.call()?))
    }

    fn call(&self) -> io::Result<BlockingStream> {
        let (ours, theirs) = BlockingStream::pair()?;
        // Sending never waits: a callee that is down must not stop a role that has other things to do.
        send_descriptor(self.0.as_fd(), b"+", theirs.as_fd(), SendFlags::DONTWAIT)?;
        Ok(ours)
    }
}

/// The callee's side: receives conversations from one caller.
#[derive(Debug)]
pub struct Hatch(UnixStream);

impl Hatch {
    /// Takes the descriptor inherited from `init`; must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the descriptor cannot be watched.
    pub fn new(inherited: OwnedFd) -> io::Result<Self> {
        let socket = BlockingStream::from(inherited);
        socket.set_nonblocking(true)?;
        // The socket is a SEQPACKET one in the type of a stream: only its readiness is used, reading is done by
        // `recvmsg`.
        Ok(Self(UnixStream::from_std(socket)?))
    }

    /// Waits for the next conversation.
    ///
    /// # Errors
    /// [`CallError::Senseless`] for a call that begins no conversation; the next call may. [`CallError::Gone`] when
    /// nobody can call any more.
    pub async fn accept<S: Serialize, R: DeserializeOwned>(&self) -> Result<Channel<S, R>, CallError> {
        let mut mark = [0];
        let received = self.0.async_io(Interest::READABLE, || receive_descriptor(self.0.as_fd(), &mut mark)).await;
        match received.map_err(CallError::Gone)? {
            // An empty packet and the end of the door look the same to `recvmsg`.
            (0, None) if is_hung_up(self.0.as_fd()) => Err(CallError::Gone(io::ErrorKind::UnexpectedEof.into())),
            (_, None) => Err(CallError::Senseless("no descriptor came with it, or none was left to receive it")),
            (_, Some(descriptor)) if is_unix_stream(&descriptor) => {
                let stream = BlockingStream::from(descriptor);
                let registered = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
                Ok(Channel::new(registered.map_err(CallError::Gone)?))
            }
            (_, Some(_)) => Err(CallError::Senseless("its descriptor is no stream socket")),
        }
    }
}

/// The reason why a call brought no conversation.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The caller sent something else than one end of a conversation. Other callers are not affected.
    #[error("a call makes no sense: {0}")]
    Senseless(&'static str),
    /// The door was closed or shut down, or the conversation cannot be watched: this hatch is of no use any more.
    #[error("the hatch is gone")]
    Gone(#[source] io::Error),
}

/// Whether a door or hatch is of no use any more: the other end is closed, or one of the two was shut down.
#[must_use]
pub fn is_hung_up(end: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(end, PollFlags::RDHUP)];
    let polled = poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    polled.is_ok() && watched.iter().any(|end| end.revents().intersects(PollFlags::HUP | PollFlags::RDHUP))
}

/// Whether a descriptor is a Unix stream socket. Others cannot be waited for, or change the meaning of `recvmsg`.
fn is_unix_stream(descriptor: &OwnedFd) -> bool {
    sockopt::socket_domain(descriptor).is_ok_and(|domain| domain == AddressFamily::UNIX)
        && sockopt::socket_type(descriptor).is_ok_and(|kind| kind == SocketType::STREAM)
}

/// Makes the two ends `init` keeps: the caller's, then the callee's. Both are close-on-exec.
///
/// # Errors
/// When descriptors have run out.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// How long a caller waits for room in a backlog.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks for room.
const PAUSE: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_that_is_full_is_waited_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (caller, callee) = pair().unwrap();
            let (door, hatch) = (Door::new(caller), Hatch::new(callee).unwrap());
            let mut calls: Vec<Channel<u8, u8>> = Vec::new();
            while let Ok(call) = door.open() {
                calls.push(call);
            }
            tokio::task::spawn_local(async move {
                loop {
                    let _: Channel<u8, u8> = hatch.accept().await.unwrap();
                }
            });
            door.open_soon::<u8, u8>().await.unwrap();
        });
    }
    use rustix::net::send;

    #[test]
    fn a_conversation_carries_values_and_a_descriptor() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (caller, callee) = pair().unwrap();
            let (door, hatch) = (Door::new(caller), Hatch::new(callee).unwrap());
            let mut asking: Channel<String, u32> = door.open().unwrap();
            let mut asked: Channel<u32, String> = hatch.accept().await.unwrap();
            let file = std::fs::File::open("/dev/null").unwrap();
            asking.send_with(&"how many?".to_owned(), file.as_fd()).await.unwrap();
            let (question, descriptor) = asked.receive().await.unwrap().unwrap();
            assert_eq!(question, "how many?");
            assert!(descriptor.is_some());
            asked.send(&7).await.unwrap();
            assert_eq!(asking.answer().await.unwrap(), 7);
            drop(asking);
            assert!(asked.receive().await.unwrap().is_none());
        });
    }

    #[test]
    fn a_call_that_makes_no_sense_costs_the_hatch_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (caller, callee) = pair().unwrap();
            let raw = caller.try_clone().unwrap();
            let (door, hatch) = (Door::new(caller), Hatch::new(callee).unwrap());
            let file = std::fs::File::open("/dev/null").unwrap();
            let (datagram, _) = std::os::unix::net::UnixDatagram::pair().unwrap();
            let (reader, _writer) = std::io::pipe().unwrap();
            let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            send(&raw, b"", SendFlags::empty()).unwrap();
            send(&raw, &[b'+'; 4096], SendFlags::empty()).unwrap();
            for stray in [file.as_fd(), datagram.as_fd(), reader.as_fd(), tcp.as_fd(), raw.as_fd()] {
                send_descriptor(raw.as_fd(), b"+", stray, SendFlags::empty()).unwrap();
            }
            for _ in 0..7 {
                assert!(matches!(hatch.accept::<u8, u8>().await, Err(CallError::Senseless(_))));
            }
            let mut asking: Channel<u8, u8> = door.open().unwrap();
            asking.send(&1).await.unwrap();
            let mut asked: Channel<u8, u8> = hatch.accept().await.unwrap();
            assert_eq!(asked.receive().await.unwrap().unwrap().0, 1);
            // A caller can spoil its own door, and both ends notice.
            assert!(!is_hung_up(raw.as_fd()));
            rustix::net::shutdown(&raw, rustix::net::Shutdown::Both).unwrap();
            assert!(matches!(hatch.accept::<u8, u8>().await, Err(CallError::Gone(_))));
            assert!(is_hung_up(raw.as_fd()) && is_hung_up(hatch.0.as_fd()));
        });
    }

    #[test]
    fn calls_are_refused_when_too_many_wait() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (caller, _callee) = pair().unwrap();
            let door = Door::new(caller);
            let mut calls = Vec::new();
            let refused = loop {
                match door.open::<u8, u8>() {
                    Ok(call) => calls.push(call),
                    Err(error) => break error,
                }
            };
            assert!(calls.len() > 50, "{} calls, then {refused}", calls.len());
        });
    }

    #[test]
    fn a_call_waits_while_the_callee_is_down() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (caller, callee) = pair().unwrap();
            let kept = callee.try_clone().unwrap();
            drop(callee);
            let mut asking: Channel<u8, u8> = Door::new(caller).open().unwrap();
            asking.send(&1).await.unwrap();
            let mut asked: Channel<u8, u8> = Hatch::new(kept).unwrap().accept().await.unwrap();
            assert_eq!(asked.receive().await.unwrap().unwrap().0, 1);
        });
    }
}
