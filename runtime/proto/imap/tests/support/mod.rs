//! A mailbox in memory that answers a session's questions, so that dialogs need only say what client and server say.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_imap::{Answer, Counts, Entry, Failure, FailureKind, FlagChange, Folder, Part, Question, Snapshot};
use postkiln_mail::Flags;

/// A mailbox. Whoever is called `ada` with the password `secret` may use it.
#[derive(Default)]
pub(crate) struct World {
    folders: BTreeMap<String, Contents>,
    subscribed: BTreeSet<String>,
    open: Option<String>,
    /// Folders made so far: none has the UIDVALIDITY of an earlier one.
    made: u32,
    /// Every question fails.
    pub(crate) broken: bool,
    /// Octets INBOX may hold.
    pub(crate) quota: usize,
}

#[derive(Default)]
struct Contents {
    validity: u32,
    next: u32,
    messages: Vec<(Entry, Vec<u8>)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self { quota: 1_000_000, ..Self::default() };
        world.create("INBOX");
        world
    }

    fn create(&mut self, name: &str) {
        let validity = 10 + self.made;
        self.made += 1;
        self.folders.insert(name.to_owned(), Contents { validity, next: 1, messages: Vec::new() });
    }

    /// A message arrives; the folder is made when it is missing.
    pub(crate) fn put(&mut self, folder: &str, flags: Flags, content: &[u8]) -> u32 {
        if !self.folders.contains_key(folder) {
            self.create(folder);
        }
        self.store(folder, flags, 1_700_000_000, content, true)
    }

    /// A message of this folder goes, by another session.
    #[allow(dead_code, reason = "not every test loses messages")]
    pub(crate) fn lose(&mut self, folder: &str, uid: u32) {
        self.folders.get_mut(folder).unwrap().messages.retain(|(entry, _)| entry.uid != uid);
    }

    /// Another session gives a message of this folder other flags.
    #[allow(dead_code, reason = "not every test changes flags")]
    pub(crate) fn mark(&mut self, folder: &str, uid: u32, flags: Flags) {
        let messages = &mut self.folders.get_mut(folder).unwrap().messages;
        messages.iter_mut().filter(|(entry, _)| entry.uid == uid).for_each(|(entry, _)| entry.flags = flags);
    }

    /// Another session renames this folder and makes one of its name, with a message.
    #[allow(dead_code, reason = "not every test makes folders anew")]
    pub(crate) fn make_anew(&mut self, folder: &str) {
        let old = self.folders.remove(folder).unwrap();
        self.folders.insert(format!("{folder} before"), old);
        self.put(folder, Flags::DELETED, b"new");
    }

    fn store(&mut self, folder: &str, flags: Flags, internal_date: i64, content: &[u8], recent: bool) -> u32 {
        let contents = self.folders.get_mut(folder).unwrap();
        let uid = contents.next;
        contents.next += 1;
        let entry = Entry { uid, flags, recent, size: content.len() as u64, internal_date };
        contents.messages.push((entry, content.to_vec()));
        uid
    }

    pub(crate) fn answer(&mut self, question: Question) -> Answer {
        if self.broken && !matches!(question, Question::Login { .. }) {
            return failed(FailureKind::Unavailable, "the disk is gone");
        }
        match question {
            Question::Login { name, password } if name == "ada" && password.expose() == "secret" => Answer::Done,
            Question::Login { .. } => Answer::Denied,
            Question::Select { folder, .. } => self.select(folder),
            Question::Unselect => {
                self.open = None;
                Answer::Done
            }
            Question::Poll { uid_validity } => {
                self.of(uid_validity, |world| Answer::Snapshot(snapshot(world.contents())))
            }
            Question::Read { messages, part } => {
                self.of(messages.uid_validity, |world| world.read(&messages.uids, part))
            }
            Question::Flag { messages, change, flags } => {
                self.of(messages.uid_validity, |world| world.flag(&messages.uids, change, flags))
            }
            Question::Expunge { uid_validity, among } => self.of(uid_validity, |world| world.expunge(among.as_deref())),
            Question::Copy { messages, folder } => {
                self.of(messages.uid_validity, |world| world.transfer(&messages.uids, &folder, false))
            }
            Question::Move { messages, folder } => {
                self.of(messages.uid_validity, |world| world.transfer(&messages.uids, &folder, true))
            }
            Question::Append { folder, flags, internal_date, content } => {
                let Some(contents) = self.folders.get(&folder) else { return no_folder() };
                let uid_validity = contents.validity;
                if content.len() > self.quota {
                    return failed(FailureKind::OverQuota, "the mailbox is full");
                }
                let uid = self.store(&folder, flags, internal_date.unwrap_or(1_700_000_000), &content, true);
                Answer::Appended { uid_validity, uid }
            }
            Question::Folders => Answer::Folders(self.list()),
            Question::Status(folder) => self.folders.get(&folder).map_or_else(no_folder, counts),
            other => self.manage(other),
        }
    }

    fn manage(&mut self, question: Question) -> Answer {
        match question {
            Question::Create(name) if self.folders.contains_key(&name) => {
                return failed(FailureKind::Exists, "there is such a folder already");
            }
            Question::Create(name) => self.create(&name),
            Question::Delete(name) => {
                if self.folders.remove(&name).is_none() {
                    return no_folder();
                }
                self.open.take_if(|open| *open == name);
            }
            Question::Rename { from, to } => {
                let Some(contents) = self.folders.remove(&from) else { return no_folder() };
                self.folders.insert(to.clone(), contents);
                if self.open.as_ref() == Some(&from) {
                    self.open = Some(to);
                }
            }
            Question::Subscribe { folder, subscribed: true } => {
                self.subscribed.insert(folder);
            }
            Question::Subscribe { folder, .. } => {
                self.subscribed.remove(&folder);
            }
            other => panic!("who answers {other:?}?"),
        }
        Answer::Done
    }

    /// The answer, if the open folder is the one that is meant.
    fn of(&mut self, uid_validity: u32, answer: impl FnOnce(&mut Self) -> Answer) -> Answer {
        let open = self.open.as_ref().and_then(|open| self.folders.get(open));
        if open.is_some_and(|contents| contents.validity == uid_validity) {
            return answer(self);
        }
        failed(FailureKind::FolderGone, "the folder that was open is gone")
    }

    fn expunge(&mut self, among: Option<&[u32]>) -> Answer {
        let goes = |entry: &Entry| {
            entry.flags.contains(Flags::DELETED) && among.is_none_or(|among| among.contains(&entry.uid))
        };
        let contents = self.contents();
        let gone = contents.messages.iter().filter(|(entry, _)| goes(entry)).map(|(entry, _)| entry.uid).collect();
        contents.messages.retain(|(entry, _)| !goes(entry));
        Answer::Expunged(gone)
    }

    fn contents(&mut self) -> &mut Contents {
        let open = self.open.clone().unwrap();
        self.folders.get_mut(&open).unwrap()
    }

    fn select(&mut self, folder: String) -> Answer {
        self.open = None;
        let Some(contents) = self.folders.get(&folder) else { return no_folder() };
        let snapshot = snapshot(contents);
        self.open = Some(folder);
        Answer::Selected(snapshot)
    }

    fn read(&mut self, uids: &[u32], part: Part) -> Answer {
        let contents = self.contents();
        let content = |uid: &u32| {
            let (_, content) = contents.messages.iter().find(|(entry, _)| entry.uid == *uid)?;
            let header = content.windows(4).position(|window| window == b"\r\n\r\n").map_or(content.len(), |at| at + 4);
            Some(content[..if part == Part::Header { header } else { content.len() }].to_vec())
        };
        Answer::Messages(uids.iter().map(|uid| (*uid, content(uid))).collect())
    }

    fn flag(&mut self, uids: &[u32], change: FlagChange, flags: Flags) -> Answer {
        let mut flagged = Vec::new();
        for (entry, _) in self.contents().messages.iter_mut().filter(|(entry, _)| uids.contains(&entry.uid)) {
            entry.flags = match change {
                FlagChange::Add => entry.flags.with(flags),
                FlagChange::Remove => entry.flags.without(flags),
                FlagChange::Replace => flags,
            };
            flagged.push((entry.uid, entry.flags));
        }
        Answer::Flagged(flagged)
    }

    fn transfer(&mut self, uids: &[u32], folder: &str, moves: bool) -> Answer {
        let Some(target) = self.folders.get(folder) else { return no_folder() };
        let uid_validity = target.validity;
        let chosen: Vec<(Entry, Vec<u8>)> =
            self.contents().messages.iter().filter(|(entry, _)| uids.contains(&entry.uid)).cloned().collect();
        if moves {
            self.contents().messages.retain(|(entry, _)| !uids.contains(&entry.uid));
        }
        let mut pairs = Vec::new();
        for (entry, content) in chosen {
            pairs.push((entry.uid, self.store(folder, entry.flags, entry.internal_date, &content, true)));
        }
        Answer::Copied { uid_validity, uids: pairs }
    }

    fn list(&self) -> Vec<Folder> {
        let names: BTreeSet<&String> = self.folders.keys().chain(&self.subscribed).collect();
        let folder = |name: &String| Folder {
            name: name.clone(),
            exists: self.folders.contains_key(name),
            subscribed: self.subscribed.contains(name),
        };
        names.into_iter().map(folder).collect()
    }
}

fn snapshot(contents: &Contents) -> Snapshot {
    let messages = contents.messages.iter().map(|(entry, _)| *entry).collect();
    Snapshot { uid_validity: contents.validity, uid_next: contents.next, messages }
}

fn counts(contents: &Contents) -> Answer {
    let count = |fits: fn(&Entry) -> bool| {
        u32::try_from(contents.messages.iter().filter(|(entry, _)| fits(entry)).count()).unwrap()
    };
    Answer::Status(Counts {
        messages: count(|_| true),
        recent: count(|entry| entry.recent),
        uid_next: contents.next,
        uid_validity: contents.validity,
        unseen: count(|entry| !entry.flags.contains(Flags::SEEN)),
    })
}

fn no_folder() -> Answer {
    failed(FailureKind::NoFolder, "there is no such folder")
}

fn failed(kind: FailureKind, text: &str) -> Answer {
    Answer::Failed(Failure { kind, text: text.to_owned() })
}
