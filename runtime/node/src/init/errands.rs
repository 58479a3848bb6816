//! [`Errands`]: work of `init` that may wait for a disk or for another program. Each has a thread of its own, and the
//! loop hears of its end by a descriptor. Start at [`Errands::run`].

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use postkiln_bundle::Role;

use super::apply::Held;
use crate::error::NodeError;

/// The result of an errand.
#[derive(Debug)]
pub(super) enum Done {
    /// The bundle on offer, verified and with the parts of the roles; or its identity, where that is known,
    /// and the problem.
    Read(Result<Held, (String, NodeError)>),
    /// Whether the program of a role answers, and the number of the process that was asked.
    Asked(Role, Option<u32>, bool),
}

/// The errands that are under way.
#[derive(Debug)]
pub(super) struct Errands {
    results: Receiver<Done>,
    tell: Sender<Done>,
    bell: UnixStream,
    rope: UnixStream,
}

impl Errands {
    /// No errand yet.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub(super) fn new() -> io::Result<Self> {
        let (tell, results) = channel();
        let (bell, rope) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        rope.set_nonblocking(true)?;
        Ok(Self { results, tell, bell, rope })
    }

    /// Begins an errand.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn run(&self, work: impl FnOnce() -> Done + Send + 'static) -> io::Result<()> {
        let (tell, mut rope) = (self.tell.clone(), self.rope.try_clone()?);
        thread::Builder::new().name("errand".to_owned()).spawn(move || {
            // Nobody listens when the node has stopped meanwhile; a bell that cannot be rung again is ringing.
            let _ = tell.send(work());
            let _ = rope.write(&[0]);
        })?;
        Ok(())
    }

    /// The results that have come since the last time.
    pub(super) fn take(&mut self) -> Vec<Done> {
        let mut rung = [0; 64];
        while self.bell.read(&mut rung).is_ok_and(|count| count > 0) {}
        self.results.try_iter().collect()
    }
}

impl AsFd for Errands {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
