//! The questions of an IMAP session, answered from the store. Blocking; knows nothing about passwords: LOGIN is asked
//! of `directoryd` by the role. Start at [`Mailbox`].

use std::time::SystemTime;

use postkiln_imap::{
    Answer, Chosen, Counts, Entry, Failure, FailureKind, FlagChange, Folder as Listed, Part, Question, Snapshot,
};
use postkiln_log::Event;
use postkiln_mail::Flags;
use postkiln_store::{Folder, FolderName, Maildir, StoreError};

use crate::access::{self, Place};

/// A person's mailbox with the folder a session has open.
#[derive(Debug)]
pub(crate) struct Mailbox {
    maildir: Maildir,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    folder: Folder,
    read_only: bool,
    /// The generation of the open folder when the session was last told about it.
    told: u64,
}

impl access::Mailbox for Mailbox {
    type Question = Question;
    type Answer = Answer;

    fn of(place: Place) -> Self {
        Self { maildir: Maildir::new(&place.maildir, place.quota, place.uniques), open: None }
    }

    fn answer(&mut self, question: &Question, now: SystemTime) -> Option<Answer> {
        match self.try_answer(question, now) {
            Err(StoreError::Busy) => None,
            answered => Some(answered.unwrap_or_else(|error| Answer::Failed(failure(&error)))),
        }
    }
}

impl Mailbox {
    fn try_answer(&mut self, question: &Question, now: SystemTime) -> Result<Answer, StoreError> {
        Ok(match question {
            Question::Login { .. } => Answer::Failed(unavailable()),
            Question::Select { folder, read_only } => self.select(folder, *read_only, now)?,
            Question::Unselect => {
                self.open = None;
                Answer::Done
            }
            Question::Poll { uid_validity } => self.poll(*uid_validity, now)?,
            Question::Read { messages, part } => self.read(messages, *part, now)?,
            Question::Flag { messages, change, flags } => {
                let folder = self.folder(messages.uid_validity)?;
                Answer::Flagged(folder.set_flags(&messages.uids, changed_by(*change, *flags), now)?)
            }
            Question::Expunge { uid_validity, among } => {
                Answer::Expunged(self.folder(*uid_validity)?.expunge(among.as_deref(), now)?)
            }
            Question::Copy { messages, folder } => {
                let to = FolderName::new(folder)?;
                copied(self.folder(messages.uid_validity)?.copy_to(&messages.uids, &to, now)?)
            }
            Question::Move { messages, folder } => {
                let to = FolderName::new(folder)?;
                copied(self.folder(messages.uid_validity)?.move_to(&messages.uids, &to, now)?)
            }
            Question::Append { folder, flags, internal_date, content } => {
                let folder = FolderName::new(folder)?;
                let (uid_validity, uid) = self.maildir.append(&folder, *flags, *internal_date, content, now)?;
                Answer::Appended { uid_validity, uid }
            }
            Question::Folders => Answer::Folders(self.folders()?),
            Question::Status(folder) => Answer::Status(self.status(folder, now)?),
            Question::Create(folder) => done(self.maildir.create(&FolderName::new(folder)?, now)?),
            Question::Delete(folder) => self.delete(&FolderName::new(folder)?, now)?,
            Question::Rename { from, to } => self.rename(&FolderName::new(from)?, &FolderName::new(to)?, now)?,
            Question::Subscribe { folder, subscribed } => {
                done(self.maildir.subscribe(&FolderName::new(folder)?, *subscribed)?)
            }
        })
    }

    /// The open folder, in which UIDs of this validity mean something.
    fn folder(&mut self, uid_validity: u32) -> Result<&mut Folder, StoreError> {
        let open = self.open.as_mut().ok_or(StoreError::Gone)?;
        if open.folder.listing().uid_validity != uid_validity {
            return Err(StoreError::FolderGone(open.folder.name().to_string()));
        }
        Ok(&mut open.folder)
    }

    fn delete(&mut self, folder: &FolderName, now: SystemTime) -> Result<Answer, StoreError> {
        self.maildir.delete(folder, now)?;
        self.open.take_if(|open| open.folder.name() == folder);
        Ok(Answer::Done)
    }

    fn rename(&mut self, from: &FolderName, to: &FolderName, now: SystemTime) -> Result<Answer, StoreError> {
        self.maildir.rename(from, to, now)?;
        if let Some(open) = &mut self.open {
            open.folder.follow(from, to);
        }
        Ok(Answer::Done)
    }

    /// A folder that has been looked at. One that is removed in that moment is not there.
    fn look_into(&self, folder: &str, now: SystemTime, claim: bool) -> Result<Folder, StoreError> {
        let mut folder = self.maildir.open(&FolderName::new(folder)?, now)?;
        folder.refresh(now, claim).map_err(|error| match error {
            StoreError::FolderGone(name) => StoreError::NoFolder(name),
            other => other,
        })?;
        Ok(folder)
    }

    fn select(&mut self, folder: &str, read_only: bool, now: SystemTime) -> Result<Answer, StoreError> {
        self.open = None;
        let folder = self.look_into(folder, now, !read_only)?;
        let snapshot = snapshot(&folder);
        self.open = Some(Open { told: folder.generation(), folder, read_only });
        Ok(Answer::Selected(snapshot))
    }

    fn poll(&mut self, uid_validity: u32, now: SystemTime) -> Result<Answer, StoreError> {
        self.folder(uid_validity)?;
        let open = self.open.as_mut().ok_or(StoreError::Gone)?;
        open.folder.refresh(now, !open.read_only)?;
        if open.folder.generation() == open.told {
            return Ok(Answer::Unchanged);
        }
        open.told = open.folder.generation();
        Ok(Answer::Snapshot(snapshot(&open.folder)))
    }

    fn read(&mut self, messages: &Chosen, part: Part, now: SystemTime) -> Result<Answer, StoreError> {
        let folder = self.folder(messages.uid_validity)?;
        let read = |uid: &u32| Ok((*uid, folder.read(*uid, part == Part::Header, now)?));
        messages.uids.iter().map(read).collect::<Result<_, _>>().map(Answer::Messages)
    }

    fn folders(&self) -> Result<Vec<Listed>, StoreError> {
        let (existing, subscribed) = (self.maildir.folders()?, self.maildir.subscriptions()?);
        let listed = |name: &FolderName, exists| Listed {
            name: name.as_str().to_owned(),
            exists,
            subscribed: subscribed.contains(name),
        };
        let gone = subscribed.iter().filter(|name| !existing.contains(name));
        Ok(existing.iter().map(|name| listed(name, true)).chain(gone.map(|name| listed(name, false))).collect())
    }

    fn status(&self, folder: &str, now: SystemTime) -> Result<Counts, StoreError> {
        let folder = self.look_into(folder, now, false)?;
        let listing = folder.listing();
        let count = |fits: fn(&postkiln_store::Message) -> bool| {
            u32::try_from(listing.messages.iter().filter(|message| fits(message)).count()).unwrap_or(u32::MAX)
        };
        Ok(Counts {
            messages: count(|_| true),
            recent: count(|message| message.recent),
            uid_next: listing.uid_next,
            uid_validity: listing.uid_validity,
            unseen: count(|message| !message.flags.contains(Flags::SEEN)),
        })
    }
}

fn snapshot(folder: &Folder) -> Snapshot {
    let listing = folder.listing();
    let entry = |message: &postkiln_store::Message| Entry {
        uid: message.uid,
        flags: message.flags,
        recent: message.recent,
        size: message.wire_size,
        internal_date: message.internal_date,
    };
    Snapshot {
        uid_validity: listing.uid_validity,
        uid_next: listing.uid_next,
        messages: listing.messages.iter().map(entry).collect(),
    }
}

fn changed_by(change: FlagChange, flags: Flags) -> impl Fn(Flags) -> Flags {
    move |old| match change {
        FlagChange::Add => old.with(flags),
        FlagChange::Remove => old.without(flags),
        FlagChange::Replace => flags,
    }
}

fn copied((uid_validity, uids): (u32, Vec<(u32, u32)>)) -> Answer {
    Answer::Copied { uid_validity, uids }
}

const fn done((): ()) -> Answer {
    Answer::Done
}

/// The failure as the client sees it; the log has the rest.
fn failure(error: &StoreError) -> Failure {
    let (kind, text) = match error {
        StoreError::FolderGone(_) => (FailureKind::FolderGone, "the folder that was open is gone"),
        StoreError::NoFolder(_) => (FailureKind::NoFolder, "there is no such folder"),
        StoreError::Exists(_) => (FailureKind::Exists, "there is such a folder already"),
        StoreError::Name(_) => (FailureKind::Refused, "this folder name cannot be used here"),
        StoreError::OverQuota => (FailureKind::OverQuota, "the mailbox is full"),
        StoreError::Gone => (FailureKind::Gone, "the message is gone"),
        StoreError::Io { .. } | StoreError::Source(_) | StoreError::Busy => {
            postkiln_log::error(Event::Mailbox, &[("problem", &postkiln_log::chain(error))]);
            return unavailable();
        }
    };
    Failure { kind, text: text.to_owned() }
}

fn unavailable() -> Failure {
    Failure { kind: FailureKind::Unavailable, text: "temporary trouble, try again later".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use postkiln_imap::{Config, Limits, Session};
    use postkiln_session::{Action, Session as _, Tls};
    use postkiln_store::{Delivery, Quota, Uniques};

    use super::*;
    use crate::access::Mailbox as _;

    /// A session over a Maildir of its own.
    struct Client {
        folder: tempfile::TempDir,
        uniques: Arc<Uniques>,
        session: Session,
        mailbox: Mailbox,
    }

    fn open(folder: &tempfile::TempDir, quota: Quota, uniques: &Arc<Uniques>) -> Mailbox {
        Mailbox::of(Place { maildir: folder.path().join("Maildir"), quota, uniques: uniques.clone() })
    }

    impl Client {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let uniques = Arc::new(Uniques::new("host", 1, 2));
            let config =
                Config { hostname: "mail.example.org".parse().unwrap(), tls: Tls::Implicit, limits: Limits::default() };
            let session = Session::new(Arc::new(config), Instant::now());
            let mailbox = open(&folder, Quota::of(Some(10_000), None), &uniques);
            Self { folder, uniques, session, mailbox }
        }

        fn deliver(&self, text: &str) {
            let delivery = Delivery { prefix: b"", size: text.len() as u64, quota: Quota::NONE };
            let unique = self.uniques.next(SystemTime::now());
            postkiln_store::deliver(&self.folder.path().join("Maildir"), &delivery, &mut text.as_bytes(), &unique)
                .unwrap();
        }

        /// The session's output for a line.
        fn say(&mut self, line: &str) -> String {
            self.session.receive(format!("{line}\r\n").as_bytes(), Instant::now());
            let mut said = Vec::new();
            while let Some(action) = self.session.next() {
                match action {
                    Action::Send(bytes) => said.extend(bytes),
                    Action::Ask(Question::Login { .. }) => self.session.answer(Answer::Done, Instant::now()),
                    Action::Ask(question) => {
                        let answer = self.mailbox.answer(&question, SystemTime::now());
                        self.session.answer(answer.unwrap(), Instant::now());
                    }
                    _ => {}
                }
            }
            String::from_utf8(said).unwrap()
        }

        /// Sends a line and checks that each of the expected texts is somewhere in the reply.
        fn check(&mut self, line: &str, expected: &[&str]) {
            let said = self.say(line);
            for part in expected {
                assert!(said.contains(part), "{line}: no {part:?} in {said}");
            }
        }
    }

    #[test]
    fn a_client_lists_reads_flags_moves_and_deletes() {
        let mut client = Client::new();
        client.deliver("Subject: one\n\nfirst\n");
        client.check("a LOGIN ada x", &["a OK"]);
        client.check("a SELECT INBOX", &["* 1 EXISTS", "* 1 RECENT", "UIDNEXT 2"]);
        client.check(
            "a FETCH 1 (RFC822.SIZE BODY[])",
            &["RFC822.SIZE 23", "BODY[] {23}\r\nSubject: one\r\n\r\nfirst\r\n"],
        );
        client.deliver("Subject: two\n\nsecond\n");
        client.check("a NOOP", &["* 2 EXISTS", "* 2 RECENT"]);
        client.check("a CREATE Work/2026", &["a OK"]);
        client.check("a LIST \"\" *", &["\"/\" INBOX", "(\\HasChildren \\Noselect) \"/\" Work\r", "\"/\" Work/2026"]);
        client.check("a COPY 1 Work/2026", &["COPYUID", " 1 1] copied"]);
        client.check("a MOVE 2 Work/2026", &["COPYUID", " 2 2] moved", "* 2 EXPUNGE"]);
        client.check("a STATUS Work/2026 (MESSAGES UNSEEN RECENT)", &["(MESSAGES 2 UNSEEN 1 RECENT 1)"]);
        client.check("a STORE 1 +FLAGS (\\Deleted)", &["* 1 FETCH (FLAGS (\\Deleted \\Seen \\Recent))"]);
        client.check("a EXPUNGE", &["* 1 EXPUNGE", "a OK"]);
        client.check("a APPEND INBOX (\\Draft) {5+}\r\na\r\nbc", &["* 1 EXISTS", "APPENDUID", " 3] stored"]);
        client.check("a UID SEARCH DRAFT", &["* SEARCH 3\r\n"]);
        client.check("a RENAME Work Play", &["a OK"]);
        client.check("a SELECT Play/2026", &["* 2 EXISTS"]);
        client.check("a SEARCH SUBJECT one SEEN", &["* SEARCH 1\r\n"]);
    }

    #[test]
    fn failures_have_their_codes() {
        let mut client = Client::new();
        client.check("a LOGIN ada x", &["a OK"]);
        client.check("a SELECT none", &["a NO [NONEXISTENT]"]);
        client.check("a SELECT INBOX", &["* 0 EXISTS"]);
        client.check("a APPEND none {1+}\r\nx", &["a NO [TRYCREATE]"]);
        client.check("a CREATE a//b", &["a NO [CANNOT]"]);
        client.check("a CREATE inbox", &["a NO [ALREADYEXISTS]"]);
        client.check(&format!("a APPEND INBOX {{10001+}}\r\n{}", "x".repeat(10_001)), &["a NO [OVERQUOTA]"]);
    }

    /// Two sessions of one person, who has a message in a folder that the first has open.
    fn two_clients(folder: &str) -> (Client, Client) {
        let (mut one, mut other) = (Client::new(), Client::new());
        other.mailbox = open(&one.folder, Quota::NONE, &one.uniques);
        for client in [&mut one, &mut other] {
            client.check("a LOGIN ada x", &["a OK"]);
        }
        one.say(&format!("a CREATE {folder}"));
        one.check(&format!("a APPEND {folder} {{1+}}\r\nx"), &["a OK"]);
        one.check(&format!("a SELECT {folder}"), &["* 1 EXISTS"]);
        (one, other)
    }

    #[test]
    fn a_mark_that_was_taken_back_removes_nothing() {
        for command in ["EXPUNGE", "UID EXPUNGE 1", "CLOSE"] {
            let (mut one, mut other) = two_clients("work");
            one.check("a STORE 1 +FLAGS (\\Deleted)", &["a OK"]);
            other.check("a SELECT work", &["* 1 EXISTS"]);
            other.check("a STORE 1 -FLAGS (\\Deleted)", &["a OK"]);
            one.check(&format!("a {command}"), &["a OK"]);
            other.check("a STATUS work (MESSAGES)", &["(MESSAGES 1)"]);
            other.check("a STORE 1 +FLAGS (\\Deleted)", &["a OK"]);
            one.check("a SELECT work", &["* 1 EXISTS"]);
            one.check("a CLOSE", &["a OK"]);
            other.check("a STATUS work (MESSAGES)", &["(MESSAGES 0)"]);
        }
    }

    #[test]
    fn a_folder_that_took_the_name_of_the_open_one_is_left_alone() {
        for command in [
            "EXPUNGE",
            "UID EXPUNGE 1",
            "CLOSE",
            "STORE 1 +FLAGS (\\Flagged)",
            "COPY 1 INBOX",
            "MOVE 1 INBOX",
            "FETCH 1 (BODY[])",
            "SEARCH TEXT fresh",
            "NOOP",
        ] {
            let (mut one, mut other) = two_clients("work");
            one.check("a STORE 1 +FLAGS (\\Deleted)", &["a OK"]);
            other.check("a RENAME work before", &["a OK"]);
            other.check("a CREATE work", &["a OK"]);
            other.check("a APPEND work (\\Deleted) {5+}\r\nfresh", &["a OK"]);
            let heard = one.say(&format!("a {command}"));
            let expected = if command == "CLOSE" { "a OK folder is closed" } else { "* BYE the folder was removed" };
            assert!(heard.contains(expected) && !heard.contains("fresh"), "{command}: {heard}");
            other.check("a STATUS work (MESSAGES RECENT)", &["(MESSAGES 1 RECENT 0)"]);
            other.check("a STATUS INBOX (MESSAGES)", &["(MESSAGES 0)"]);
            other.check("a SELECT work", &["* 1 EXISTS"]);
            other.check("a FETCH 1 (FLAGS)", &["(FLAGS (\\Deleted))"]);
        }
    }

    #[test]
    fn a_client_may_rename_or_remove_the_folder_it_has_open() {
        let (mut one, _) = two_clients("a/b");
        one.check("a RENAME a c", &["a OK renamed"]);
        one.check("a STORE 1 +FLAGS (\\Seen)", &["* 1 FETCH", "a OK"]);
        one.check("a LIST \"\" *", &["\"/\" c/b"]);
        one.check("a DELETE c/b", &["a OK deleted"]);
        one.check("a FETCH 1 (UID)", &["a BAD"]);
        one.check("a NOOP", &["a OK"]);
    }

    #[test]
    fn a_mailbox_in_use_is_asked_again() {
        let (mut one, _) = two_clients("work");
        let lock = std::fs::File::options().write(true).open(one.folder.path().join("Maildir/postkiln-lock")).unwrap();
        lock.lock().unwrap();
        let create = Question::Create("new".to_owned());
        assert_eq!(one.mailbox.answer(&create, SystemTime::now()), None);
        lock.unlock().unwrap();
        assert_eq!(one.mailbox.answer(&create, SystemTime::now()), Some(Answer::Done));
    }

    #[test]
    fn two_sessions_see_each_other() {
        let (mut one, mut other) = two_clients("INBOX");
        other.check("a SELECT INBOX", &["* 1 EXISTS"]);
        one.check("a STORE 1 FLAGS (\\Seen)", &["a OK"]);
        other.check("a NOOP", &["* 1 FETCH (FLAGS (\\Seen))"]);
        other.check("a STORE 1 +FLAGS.SILENT (\\Deleted)", &["a OK"]);
        other.check("a EXPUNGE", &["* 1 EXPUNGE"]);
        one.check("a NOOP", &["* 1 EXPUNGE"]);
    }
}
