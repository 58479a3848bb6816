//! The questions of a POP3 session, answered from the store. Blocking; knows nothing about passwords. The maildrop is
//! as it was when the session opened it: what comes later is for the next one (RFC 1939 §3). Start at [`Mailbox`].

use std::fs::File;
use std::io::Read;
use std::time::SystemTime;

use postkiln_log::Event;
use postkiln_mail::Status;
use postkiln_pop3::{Answer, Message, Question};
use postkiln_store::{Folder, FolderName, Maildir, StoreError};

use crate::access::{self, Place};

/// INBOX as one POP3 session sees it.
#[derive(Debug)]
pub(crate) struct Mailbox {
    maildir: Maildir,
    inbox: Option<Folder>,
    /// The UIDs in the order in which the session numbers messages.
    order: Vec<u32>,
    /// The message that is being sent.
    reading: Option<File>,
}

impl access::Mailbox for Mailbox {
    type Question = Question;
    type Answer = Answer;

    fn of(place: Place) -> Self {
        let maildir = Maildir::new(&place.maildir, place.quota, place.uniques);
        Self { maildir, inbox: None, order: Vec::new(), reading: None }
    }

    fn answer(&mut self, question: &Question, now: SystemTime) -> Option<Answer> {
        if !matches!(question, Question::More) {
            self.reading = None;
        }
        let answer = match question {
            Question::Authenticate { .. } => Ok(unavailable()),
            Question::Open => self.open(now),
            Question::Retrieve(place) => self.retrieve(*place, now),
            Question::More => self.more(),
            Question::Commit(places) => self.commit(places, now),
        };
        match answer {
            Err(StoreError::Busy) => None,
            answered => Some(answered.unwrap_or_else(|error| refused(&error))),
        }
    }
}

impl Mailbox {
    fn open(&mut self, now: SystemTime) -> Result<Answer, StoreError> {
        let mut inbox = self.maildir.open(&FolderName::inbox(), now)?;
        inbox.refresh(now, false)?;
        let messages = inbox.by_arrival();
        self.order = messages.iter().map(|message| message.uid).collect();
        let listed = messages
            .iter()
            .map(|message| Message { id: listed_id(&message.stored.unique), size: message.wire_size })
            .collect();
        self.inbox = Some(inbox);
        Ok(Answer::Opened(listed))
    }

    fn retrieve(&mut self, place: usize, now: SystemTime) -> Result<Answer, StoreError> {
        let uid = self.order.get(place).copied().ok_or(StoreError::Gone)?;
        let inbox = self.inbox.as_mut().ok_or(StoreError::Gone)?;
        let (file, _) = inbox.file(uid, now)?.ok_or(StoreError::Gone)?;
        self.reading = Some(file);
        self.more()
    }

    fn more(&mut self) -> Result<Answer, StoreError> {
        let Some(file) = &mut self.reading else { return Ok(Answer::End) };
        let mut piece = Vec::new();
        file.take(PIECE as u64).read_to_end(&mut piece).map_err(StoreError::Source)?;
        if piece.is_empty() {
            self.reading = None;
            return Ok(Answer::End);
        }
        Ok(Answer::Piece(piece))
    }

    fn commit(&mut self, places: &[usize], now: SystemTime) -> Result<Answer, StoreError> {
        let Some(inbox) = &mut self.inbox else { return Ok(Answer::Committed) };
        let uids: Vec<u32> = places.iter().filter_map(|place| self.order.get(*place).copied()).collect();
        if !uids.is_empty() {
            inbox.remove(&uids, now)?;
        }
        inbox.mark_old(&self.order, now)?;
        Ok(Answer::Committed)
    }
}

/// The unique name where RFC 1939 §7 allows it (1 to 70 octets of `!` to `~`); a name of another program that is not so
/// is told by its hash.
fn listed_id(unique: &str) -> String {
    if unique.len() <= 70 && unique.bytes().all(|octet| octet.is_ascii_graphic()) {
        return unique.to_owned();
    }
    let hash = ring::digest::digest(&ring::digest::SHA256, unique.as_bytes());
    hash.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

fn refused(error: &StoreError) -> Answer {
    match error {
        StoreError::Gone => Answer::Refused(Status(5, 2, 0), "the message is gone".to_owned()),
        _ => {
            postkiln_log::error(Event::Mailbox, &[("problem", &postkiln_log::chain(error))]);
            unavailable()
        }
    }
}

fn unavailable() -> Answer {
    Answer::Refused(Status(4, 3, 0), "temporary trouble, try again later".to_owned())
}

/// Octets of a message that one answer carries.
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use postkiln_store::{Delivery, Quota, Uniques};

    use super::*;
    use crate::access::Mailbox as _;

    #[test]
    fn a_session_reads_in_pieces_and_deletes_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Maildir");
        let uniques = Arc::new(Uniques::new("host", 1, 2));
        let now = SystemTime::now();
        for text in ["a\n".repeat(40_000), "b\n".to_owned()] {
            let delivery = Delivery { prefix: b"", size: text.len() as u64, quota: Quota::NONE };
            postkiln_store::deliver(&path, &delivery, &mut text.as_bytes(), &uniques.next(now)).unwrap();
        }
        let place = || Place { maildir: path.clone(), quota: Quota::NONE, uniques: uniques.clone() };
        let mut mailbox = Mailbox::of(place());
        let Some(Answer::Opened(messages)) = mailbox.answer(&Question::Open, now) else { panic!("not opened") };
        assert_eq!(messages.iter().map(|message| message.size).collect::<Vec<_>>(), [120_000, 3]);
        assert!(messages.iter().all(|message| message.id.len() <= 70));
        let mut lengths = Vec::new();
        let mut answer = mailbox.answer(&Question::Retrieve(0), now);
        while let Some(Answer::Piece(piece)) = answer {
            lengths.push(piece.len());
            answer = mailbox.answer(&Question::More, now);
        }
        assert_eq!((answer, lengths), (Some(Answer::End), vec![65_536, 80_000 - 65_536]));
        assert_eq!(mailbox.answer(&Question::Commit(vec![0]), now), Some(Answer::Committed));
        let mut next = Mailbox::of(place());
        let Some(Answer::Opened(left)) = next.answer(&Question::Open, now) else { panic!("not opened") };
        assert_eq!(left, messages[1..]);
        assert!(path.join("cur").join(format!("{}:2,", left[0].id)).exists());
    }
}
