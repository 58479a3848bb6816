//! [`Message`]: the message that came, as far as lists and robots look at it; [`Outgoing`]: the one that goes
//! out for it.

use postkiln_address::ReversePath;
use postkiln_mail::{Envelope, QueueId, header};

/// A message that came.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The message's name in the queue.
    pub id: &'a QueueId,
    /// The reverse path.
    pub sender: &'a ReversePath,
    /// Everything before the empty line.
    pub header: &'a [u8],
    /// Octets of the whole message.
    pub size: u64,
}

impl Message<'_> {
    /// The body of the first field with this name, as one line.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        header::fields(self.header).find(|field| field.is(name)).map(|field| field.text())
    }

    /// Whether there is a field with this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        header::fields(self.header).any(|field| field.is(name))
    }

    /// Whether `Precedence` has one of these values: mail of machines, to which nobody wants an answer.
    #[must_use]
    pub fn has_precedence(&self, values: &[&str]) -> bool {
        self.field("Precedence").is_some_and(|given| values.iter().any(|value| given.eq_ignore_ascii_case(value)))
    }
}

/// A message to submit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Sender and recipients.
    pub envelope: Envelope,
    /// The beginning of the message: its header, and its text when the message is all our own.
    pub head: Vec<u8>,
    /// The part of the message that came which follows.
    pub rest: Rest,
}

/// The part of the message that came which follows our own octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing of the message.
    Nothing,
    /// The message without its header: empty line and body.
    Body,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Calls `test` with a message from `sender` that begins with `header`.
    pub(crate) fn with_message<T>(sender: &str, header: &str, test: impl FnOnce(&Message<'_>) -> T) -> T {
        let (id, sender) = (QueueId::new("1").unwrap(), sender.parse().unwrap());
        let header = header::header(header.as_bytes());
        test(&Message { id: &id, sender: &sender, header, size: 1000 })
    }
}
