//! The message that is being delivered, as a stretch of the queue's file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use postkiln_ipc::delivery::Request;
use postkiln_lists::{self as lists, Message};
use postkiln_mail::header;

use super::submit::Rest;

/// The message and who it is for.
#[derive(Debug)]
pub(crate) struct Original {
    pub(crate) request: Request,
    file: File,
    /// The beginning, with the header.
    head: Vec<u8>,
}

impl Original {
    /// Reads the header. What is over [`HEADER_LIMIT`] counts as body.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn open(file: File, request: Request) -> io::Result<Self> {
        let mut head = Vec::new();
        let mut length = FIRST_LOOK;
        loop {
            head.resize(usize::try_from(request.size.min(length)).unwrap_or_default(), 0);
            file.read_exact_at(&mut head, request.offset)?;
            if header::header(&head).len() < head.len() || length >= request.size.min(HEADER_LIMIT) {
                return Ok(Self { request, file, head });
            }
            length = HEADER_LIMIT;
        }
    }

    /// All before the empty line.
    pub(crate) fn header(&self) -> &[u8] {
        header::header(&self.head)
    }

    /// The message as lists and robots see it.
    pub(crate) fn message(&self) -> Message<'_> {
        let Request { id, sender, size, .. } = &self.request;
        Message { id, sender, header: self.header(), size: *size }
    }

    /// The part of the message that goes on behind octets of ours.
    pub(crate) const fn rest(&self, rest: lists::Rest) -> Rest<'_> {
        match rest {
            lists::Rest::Nothing => Rest::Nothing,
            lists::Rest::Body => Rest::Body(self),
        }
    }

    /// The whole content, from its beginning, independent of other readers.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub(crate) fn source(&self) -> io::Result<Source> {
        self.source_from(0)
    }

    /// The content behind the header: empty line and body.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub(crate) fn body(&self) -> io::Result<Source> {
        self.source_from(self.header().len() as u64)
    }

    fn source_from(&self, start: u64) -> io::Result<Source> {
        let (at, left) = (self.request.offset + start, self.request.size.saturating_sub(start));
        Ok(Source { file: self.file.try_clone()?, at, left })
    }
}

/// Reads a stretch of a file by position: copies of the descriptor share theirs.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    at: u64,
    left: u64,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(buffer.get_mut(..wanted).unwrap_or_default(), self.at)?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

const FIRST_LOOK: u64 = 16 << 10;
const HEADER_LIMIT: u64 = 1 << 20;
