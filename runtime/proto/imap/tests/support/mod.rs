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
        let validity = 10 + u32::try_from(self.folders.len()).unwrap();
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
            Question::Poll => Answer::Snapshot(snapshot(self.contents())),
            Question::Read { uids, part } => self.read(&uids, part),
            Question::Flag { uids, change, flags } => self.flag(&uids, change, flags),
            Question::Expunge { uids } => {
                self.contents().messages.retain(|(entry, _)| !uids.contains(&entry.uid));
                Answer::Expunged(uids)
            }
            Question::Copy { uids, folder } => self.transfer(&uids, &folder, false),
            Question::Move { uids, folder } => self.transfer(&uids, &folder, true),
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
            Question::Delete(name) => match self.folders.remove(&name) {
                Some(_) => {}
                None => return no_folder(),
            },
            Question::Rename { from, to } => match self.folders.remove(&from) {
                Some(contents) => {
                    self.folders.insert(to, contents);
                }
                None => return no_folder(),
            },
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
