//! One conversation over a Unix stream socket. A frame is a length (four little-endian octets) and a postcard value of
//! at most [`FRAME_LIMIT`]; it may carry one descriptor (SCM_RIGHTS, unix(7)).

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as BlockingStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

/// The largest value in one frame, in octets. Message content travels in pieces below it.
pub const FRAME_LIMIT: usize = 1 << 20;

/// The room that a frame gets before its octets arrive: most frames are smaller.
const FIRST: usize = 4096;

/// One side of a conversation that sends `S` and receives `R`, for roles that run on tokio.
#[derive(Debug)]
pub struct Channel<S, R> {
    stream: UnixStream,
    types: PhantomData<fn(S) -> R>,
}

impl<S: Serialize, R: DeserializeOwned> Channel<S, R> {
    /// Takes a connected stream.
    #[must_use]
    pub const fn new(stream: UnixStream) -> Self {
        Self { stream, types: PhantomData }
    }

    /// Sends one value.
    ///
    /// # Errors
    /// When the other side is gone or the value does not fit a frame.
    pub async fn send(&mut self, value: &S) -> Result<(), ChannelError> {
        let frame = encode(value)?;
        Ok(self.stream.write_all(&frame).await?)
    }

    /// Sends one value together with a copy of a descriptor.
    ///
    /// # Errors
    /// When the other side is gone or the value does not fit a frame.
    pub async fn send_with(&mut self, value: &S, descriptor: BorrowedFd<'_>) -> Result<(), ChannelError> {
        let frame = encode(value)?;
        let sent = self
            .stream
            .async_io(Interest::WRITABLE, || {
                send_descriptor(self.stream.as_fd(), &frame, descriptor, SendFlags::empty())
            })
            .await?;
        Ok(self.stream.write_all(frame.get(sent..).unwrap_or_default()).await?)
    }

    /// Receives one value, with the descriptor that came along, if one did. `None` when the other side has ended the
    /// conversation between frames.
    ///
    /// # Errors
    /// When the conversation breaks off inside a frame or the frame is malformed.
    pub async fn receive(&mut self) -> Result<Option<(R, Option<OwnedFd>)>, ChannelError> {
        let mut header = [0; 4];
        let mut filled = 0;
        let mut descriptor = None;
        while filled < header.len() {
            let part = header.get_mut(filled..).unwrap_or_default();
            let (read, came) =
                self.stream.async_io(Interest::READABLE, || receive_descriptor(self.stream.as_fd(), part)).await?;
            descriptor = came.or(descriptor);
            match (read, filled) {
                (0, 0) => return Ok(None),
                (0, _) => return Err(ChannelError::Cut),
                _ => filled += read,
            }
        }
        let length = frame_length(header)?;
        // Memory grows with the octets that arrive, not with the announced length.
        let mut payload = Vec::with_capacity(length.min(FIRST));
        (&mut self.stream).take(length as u64).read_to_end(&mut payload).await?;
        if payload.len() < length {
            return Err(ChannelError::Cut);
        }
        Ok(Some((decode(&payload)?, descriptor)))
    }

    /// Receives one value that must come and brings no descriptor.
    ///
    /// # Errors
    /// The errors of [`Self::receive`], and one when the other side ended the conversation.
    pub async fn answer(&mut self) -> Result<R, ChannelError> {
        Ok(self.receive().await?.ok_or(ChannelError::Cut)?.0)
    }

    /// Sends one value and receives the reply.
    ///
    /// # Errors
    /// The errors of [`Self::send`] and [`Self::answer`].
    pub async fn ask(&mut self, question: &S) -> Result<R, ChannelError> {
        self.send(question).await?;
        self.answer().await
    }
}

/// The same as [`Channel`] for code that blocks: `init`, and a signing key inside a TLS handshake.
#[derive(Debug)]
pub struct BlockingChannel<S, R> {
    stream: BlockingStream,
    types: PhantomData<fn(S) -> R>,
}

impl<S: Serialize, R: DeserializeOwned> BlockingChannel<S, R> {
    /// Takes a connected stream in blocking mode; the caller sets its time-outs.
    #[must_use]
    pub const fn new(stream: BlockingStream) -> Self {
        Self { stream, types: PhantomData }
    }

    /// The stream, for time-outs and polling.
    #[must_use]
    pub const fn stream(&self) -> &BlockingStream {
        &self.stream
    }

    /// Sends one value, with a copy of a descriptor where one is given.
    ///
    /// # Errors
    /// When the other side is gone or the value does not fit a frame.
    pub fn send(&mut self, value: &S, descriptor: Option<BorrowedFd<'_>>) -> Result<(), ChannelError> {
        let frame = encode(value)?;
        let sent = match descriptor {
            Some(descriptor) => send_descriptor(self.stream.as_fd(), &frame, descriptor, SendFlags::empty())?,
            None => 0,
        };
        Ok(self.stream.write_all(frame.get(sent..).unwrap_or_default())?)
    }

    /// Receives one value; `None` when the other side has ended the conversation between frames.
    ///
    /// # Errors
    /// When the conversation breaks off inside a frame, the frame is malformed, or a time-out passes.
    pub fn receive(&mut self) -> Result<Option<(R, Option<OwnedFd>)>, ChannelError> {
        let mut header = [0; 4];
        let mut filled = 0;
        let mut descriptor = None;
        while filled < header.len() {
            let (read, came) = receive_descriptor(self.stream.as_fd(), header.get_mut(filled..).unwrap_or_default())?;
            descriptor = came.or(descriptor);
            match (read, filled) {
                (0, 0) => return Ok(None),
                (0, _) => return Err(ChannelError::Cut),
                _ => filled += read,
            }
        }
        let length = frame_length(header)?;
        let mut payload = Vec::with_capacity(length.min(FIRST));
        (&mut self.stream).take(length as u64).read_to_end(&mut payload)?;
        if payload.len() < length {
            return Err(ChannelError::Cut);
        }
        Ok(Some((decode(&payload)?, descriptor)))
    }
}

/// The reason why a conversation cannot go on. For the caller it is always a temporary failure.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The socket failed.
    #[error("the conversation failed")]
    Io(#[from] io::Error),
    /// The other side went away inside a frame or before an answer.
    #[error("the other side ended the conversation")]
    Cut,
    /// A frame over [`FRAME_LIMIT`], or one that holds no value of the type.
    #[error("a frame is malformed")]
    Malformed,
}

impl ChannelError {
    /// Whether the other side may answer in another conversation: this one broke, and not by what was said or for
    /// lack of time.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        match self {
            Self::Io(error) => !matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock),
            Self::Cut => true,
            Self::Malformed => false,
        }
    }
}

fn encode<S: Serialize>(value: &S) -> Result<Vec<u8>, ChannelError> {
    let mut frame = postcard::to_extend(value, vec![0; 4]).map_err(|_| ChannelError::Malformed)?;
    let length = frame.len() - 4;
    if length > FRAME_LIMIT {
        return Err(ChannelError::Malformed);
    }
    let head = frame.first_chunk_mut().ok_or(ChannelError::Malformed)?;
    *head = u32::try_from(length).map_err(|_| ChannelError::Malformed)?.to_le_bytes();
    Ok(frame)
}

fn decode<R: DeserializeOwned>(payload: &[u8]) -> Result<R, ChannelError> {
    postcard::from_bytes(payload).map_err(|_| ChannelError::Malformed)
}

fn frame_length(header: [u8; 4]) -> Result<usize, ChannelError> {
    let length = usize::try_from(u32::from_le_bytes(header)).map_err(|_| ChannelError::Malformed)?;
    if length > FRAME_LIMIT { Err(ChannelError::Malformed) } else { Ok(length) }
}

pub(crate) fn send_descriptor(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptor: BorrowedFd<'_>,
    flags: SendFlags,
) -> io::Result<usize> {
    let descriptors = [descriptor];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    Ok(sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, flags | SendFlags::NOSIGNAL)?)
}

/// Takes one descriptor that was sent over a stream without a conversation.
///
/// # Errors
/// When the stream ends before one comes.
pub fn take_descriptor(stream: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let (_, descriptor) = receive_descriptor(stream, &mut [0])?;
    descriptor.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

pub(crate) fn receive_descriptor(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptor = None;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            descriptor = descriptors.last().or(descriptor);
        }
    }
    Ok((received.bytes, descriptor))
}
