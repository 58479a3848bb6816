//! Doors: who may begin a conversation with whom. For every (caller, callee) pair of the service table `init` makes one
//! pair of SOCK_SEQPACKET sockets and keeps both ends, so that either side may die and be started again without the
//! other noticing. The caller holds the [`Door`], the callee the [`Hatch`]; a conversation begins when the caller sends one
//! end of a fresh stream pair through the door. The callee knows who calls by the hatch the call came through.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as BlockingStream;

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::channel::{BlockingChannel, Channel, receive_descriptor, send_descriptor};

/// The caller's side: may begin conversations.
#[derive(Debug)]
pub struct Door(OwnedFd);

impl Door {
    /// Takes the inherited descriptor.
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

    /// Begins a conversation for code that blocks.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_blocking<S: Serialize, R: DeserializeOwned>(&self) -> io::Result<BlockingChannel<S, R>> {
        Ok(BlockingChannel::new(self.call()?))
    }

    fn call(&self) -> io::Result<BlockingStream> {
        let (ours, theirs) = BlockingStream::pair()?;
        // Never waits: a callee that is down must not stop a role that has other things to do.
        send_descriptor(self.0.as_fd(), b"+", theirs.as_fd(), SendFlags::DONTWAIT)?;
        Ok(ours)
    }
}

/// The callee's side: receives conversations from one caller.
#[derive(Debug)]
pub struct Hatch(UnixStream);

impl Hatch {
    /// Takes the inherited descriptor; must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the descriptor cannot be watched.
    pub fn new(inherited: OwnedFd) -> io::Result<Self> {
        let socket = BlockingStream::from(inherited);
        socket.set_nonblocking(true)?;
        // A SEQPACKET socket in a stream's clothes: only its readiness is used, the reading is done by `recvmsg`.
        Ok(Self(UnixStream::from_std(socket)?))
    }

    /// Waits for the next conversation.
    ///
    /// # Errors
    /// When the door is closed for good (`init` is gone).
    pub async fn accept<S: Serialize, R: DeserializeOwned>(&self) -> io::Result<Channel<S, R>> {
        loop {
            let mut mark = [0];
            let received =
                self.0.async_io(Interest::READABLE, || receive_descriptor(self.0.as_fd(), &mut mark)).await?;
            match received {
                (0, None) => return Err(io::ErrorKind::UnexpectedEof.into()),
                (_, None) => {}
                (_, Some(descriptor)) => {
                    let stream = BlockingStream::from(descriptor);
                    stream.set_nonblocking(true)?;
                    return Ok(Channel::new(UnixStream::from_std(stream)?));
                }
            }
        }
    }
}

/// Makes the two ends `init` keeps: the caller's, then the callee's. Both are close-on-exec.
///
/// # Errors
/// When descriptors have run out.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

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
