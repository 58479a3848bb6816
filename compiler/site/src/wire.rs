//! The language between the process that reads a site and the one that wants it: a length of four octets,
//! little-endian, and a message in postcard's form; after [`Reply::Content`] the octets of the file. Knows
//! nothing about processes.

use std::io::{self, ErrorKind, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Node};
use crate::beneath::BeneathError;
use crate::population::{Fault, Format, Record, Table};

/// A wish of the process that wants the site.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// The value of the site, by the path of its main file: [`Reply::Answer`].
    Evaluate(String),
    /// The content of a file: [`Reply::Content`].
    Read(String),
    /// The rows of the file that was read last: [`Reply::Rows`] until [`Reply::End`].
    Rows(Format, Table),
    /// The lines of the file that was read last, one address each: [`Reply::Addresses`] until [`Reply::End`].
    Addresses,
}

/// The answers of the process that reads the site.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The result of the evaluation.
    Answer(Answer),
    /// The length of a file's content, which follows, in octets; or why it is not read.
    Content(Result<u64, BeneathError>),
    /// Some rows, and mistakes among them.
    Rows(Vec<Result<Record, Fault>>),
    /// Some addresses, and mistakes among them.
    Addresses(Vec<Result<Node, Fault>>),
    /// There are no more rows.
    End,
}

/// Writes a message.
///
/// # Errors
/// When nobody reads it, or it is longer than [`LONGEST`].
pub(crate) fn write(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_allocvec(message).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::other("the message is too long"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&bytes)
}

/// Reads a message; `None` when the other side has closed.
///
/// # Errors
/// When the other side breaks off, is silent for too long, or says something else.
pub(crate) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other("the message is too long"));
    }
    let bytes = content(from, length.into())?;
    postcard::from_bytes(&bytes).map(Some).map_err(io::Error::other)
}

/// Reads exactly so many octets.
///
/// # Errors
/// When there are fewer.
pub(crate) fn content(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    // The vector grows with what comes, not with what was announced.
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(1 << 20)).unwrap_or(0));
    let read = from.take(length).read_to_end(&mut bytes)?;
    if read as u64 == length { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

/// The longest message in octets: the value of a very large site.
const LONGEST: u32 = 1 << 30;
