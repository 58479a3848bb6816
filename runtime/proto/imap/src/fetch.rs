//! FETCH and UID FETCH (RFC 3501 §6.4.5): in batches, so that neither we nor the driver holds more than a few messages.

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};

use postkiln_mail::Flags;

use crate::cursor::{Bad, Cursor};
use crate::date;
use crate::envelope::push_envelope;
use crate::fields::header_length;
use crate::job::{Context, Job, News, Reply, Step};
use crate::mime::Entity;
use crate::question::{Answer, Chosen, Entry, FlagChange, Part, Question};
use crate::section::Section;
use crate::sequence::SequenceSet;
use crate::structure::push_structure;
use crate::view::{Numbers, flags};
use crate::wire::{push_literal, push_nstring};

/// One data item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Flags,
    Uid,
    Size,
    InternalDate,
    Envelope,
    Structure { extended: bool },
    Section { section: Section, peek: bool, name: Option<&'static str> },
}

/// `fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")`
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<(SequenceSet, Vec<Item>), Bad> {
    cursor.space()?;
    let set = SequenceSet::parse(cursor)?;
    cursor.space()?;
    let fast = [Item::Flags, Item::InternalDate, Item::Size];
    let items = if cursor.peek() == Some(b'(') {
        cursor.list(item)?
    } else if cursor.word("FAST") {
        fast.to_vec()
    } else if cursor.word("ALL") {
        [&fast[..], &[Item::Envelope]].concat()
    } else if cursor.word("FULL") {
        [&fast[..], &[Item::Envelope, Item::Structure { extended: false }]].concat()
    } else {
        vec![item(cursor)?]
    };
    if items.is_empty() { Err("nothing is to be fetched") } else { Ok((set, items)) }
}

/// `fetch-att`
fn item(cursor: &mut Cursor<'_>) -> Result<Item, Bad> {
    let word =
        String::from_utf8_lossy(cursor.while_octets(|b| b.is_ascii_alphanumeric() || b == b'.')).to_ascii_uppercase();
    let named = |section, peek, name| Item::Section { section, peek, name: Some(name) };
    Ok(match word.as_str() {
        "FLAGS" => Item::Flags,
        "UID" => Item::Uid,
        "INTERNALDATE" => Item::InternalDate,
        "ENVELOPE" => Item::Envelope,
        "BODYSTRUCTURE" => Item::Structure { extended: true },
        "RFC822.SIZE" => Item::Size,
        "RFC822" => named(Section::whole(), false, "RFC822"),
        "RFC822.HEADER" => named(Section::header(), true, "RFC822.HEADER"),
        "RFC822.TEXT" => named(Section::text(), false, "RFC822.TEXT"),
        "BODY" if cursor.peek() != Some(b'[') => Item::Structure { extended: false },
        "BODY" | "BODY.PEEK" => Item::Section { section: Section::parse(cursor)?, peek: word.len() > 4, name: None },
        _ => return Err("a fetch item is unknown"),
    })
}

impl Item {
    /// How much of the message it needs.
    fn needs(&self) -> Option<Part> {
        match self {
            Self::Flags | Self::Uid | Self::Size | Self::InternalDate => None,
            Self::Envelope => Some(Part::Header),
            Self::Structure { .. } => Some(Part::Whole),
            Self::Section { section, .. } => Some(section.needs()),
        }
    }

    const fn sets_seen(&self) -> bool {
        matches!(self, Self::Section { peek: false, .. })
    }
}

pub(crate) fn fetch(set: &SequenceSet, mut items: Vec<Item>, numbers: Numbers, context: &mut Context) -> Step {
    let Some(view) = &context.view else { return Step::Reply(Reply::bad("no folder is open")) };
    let places = match view.resolve(set, numbers) {
        Ok(places) => places,
        Err(bad) => return Step::Reply(Reply::bad(bad)),
    };
    if numbers == Numbers::Uid && !items.contains(&Item::Uid) {
        items.insert(0, Item::Uid);
    }
    let needs = items.iter().filter_map(Item::needs);
    let needs = needs.reduce(|one, other| if one == Part::Whole { one } else { other });
    let sets_seen = !view.read_only && items.iter().any(Item::sets_seen);
    let entries = places.iter().filter_map(|at| Some((*at, *view.entries.get(*at)?)));
    let waiting: VecDeque<(usize, Entry)> = entries.collect();
    let job = Fetch {
        uid_validity: view.uid_validity,
        items,
        numbers,
        needs,
        sets_seen,
        waiting,
        batch: Vec::new(),
        contents: HashMap::new(),
        missing: false,
    };
    job.go_on(context)
}

#[derive(Debug)]
struct Fetch {
    uid_validity: u32,
    items: Vec<Item>,
    numbers: Numbers,
    needs: Option<Part>,
    sets_seen: bool,
    waiting: VecDeque<(usize, Entry)>,
    /// The messages of the last question.
    batch: Vec<(usize, Entry)>,
    /// Of the batch, while flags are set.
    contents: HashMap<u32, Vec<u8>>,
    /// A message was gone.
    missing: bool,
}

impl Fetch {
    /// The next batch.
    fn go_on(mut self, context: &mut Context) -> Step {
        let Some(part) = self.needs else {
            for (at, entry) in &self.waiting {
                self.respond(*at, entry, None, false, context);
            }
            return self.finish();
        };
        let mut octets = 0;
        self.batch.clear();
        while let Some((at, entry)) = self.waiting.pop_front() {
            octets += if part == Part::Whole { entry.size } else { 4096 };
            self.batch.push((at, entry));
            if octets >= BATCH {
                break;
            }
        }
        if self.batch.is_empty() {
            return self.finish();
        }
        let uids = self.batch.iter().map(|(_, entry)| entry.uid).collect();
        let messages = Chosen { uid_validity: self.uid_validity, uids };
        Step::Ask(Question::Read { messages, part }, Box::new(self))
    }

    fn finish(&self) -> Step {
        let news = if self.numbers == Numbers::Uid { News::All } else { News::NoExpunge };
        Step::Reply(if self.missing {
            Reply::no("some messages are gone").code("EXPUNGEISSUED").news(news)
        } else {
            Reply::ok("fetched").news(news)
        })
    }

    /// Contents are here: messages whose body is read become seen first (RFC 3501 §6.4.5).
    fn read(mut self, contents: Vec<(u32, Option<Vec<u8>>)>, context: &mut Context) -> Step {
        self.contents = contents.into_iter().filter_map(|(uid, content)| Some((uid, content?))).collect();
        let there = self.batch.len();
        self.batch.retain(|(_, entry)| self.contents.contains_key(&entry.uid));
        self.missing |= self.batch.len() < there;
        let unseen = self.batch.iter().filter(|(_, entry)| !entry.flags.contains(Flags::SEEN));
        let uids: Vec<u32> = unseen.map(|(_, entry)| entry.uid).collect();
        if self.sets_seen && !uids.is_empty() {
            let messages = Chosen { uid_validity: self.uid_validity, uids };
            let question = Question::Flag { messages, change: FlagChange::Add, flags: Flags::SEEN };
            return Step::Ask(question, Box::new(self));
        }
        self.tell(&HashMap::new(), context)
    }

    /// Responds for the batch; `changed` are flags that are new to the client.
    fn tell(mut self, changed: &HashMap<u32, Flags>, context: &mut Context) -> Step {
        for (at, mut entry) in std::mem::take(&mut self.batch) {
            let now = changed.get(&entry.uid).copied().filter(|flags| *flags != entry.flags);
            if let (Some(flags), Some(view)) = (now, &mut context.view) {
                entry.flags = flags;
                view.note_flags(entry.uid, flags);
            }
            let content = self.contents.remove(&entry.uid);
            self.respond(at, &entry, content.as_deref(), now.is_some(), context);
        }
        self.go_on(context)
    }

    /// `* 3 FETCH (…)`
    fn respond(&self, at: usize, entry: &Entry, content: Option<&[u8]>, with_flags: bool, context: &mut Context) {
        let mut out = format!("* {} FETCH (", at + 1).into_bytes();
        let content = content.unwrap_or_default();
        let tree = OnceCell::new();
        let mut items = self.items.clone();
        if with_flags && !items.contains(&Item::Flags) {
            items.push(Item::Flags);
        }
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                out.push(b' ');
            }
            push_item(&mut out, item, entry, content, &tree);
        }
        out.extend_from_slice(b")\r\n");
        context.send(out);
    }
}

fn push_item(out: &mut Vec<u8>, item: &Item, entry: &Entry, content: &[u8], tree: &OnceCell<Entity>) {
    // The message is taken apart once, and only when an item needs that.
    let parsed = || tree.get_or_init(|| Entity::parse(content));
    let mut say = |text: String| out.extend_from_slice(text.as_bytes());
    match item {
        Item::Flags => say(format!("FLAGS ({})", flags(entry))),
        Item::Uid => say(format!("UID {}", entry.uid)),
        Item::Size => say(format!("RFC822.SIZE {}", entry.size)),
        Item::InternalDate => say(format!("INTERNALDATE \"{}\"", date::printed(entry.internal_date))),
        Item::Envelope => {
            say("ENVELOPE ".to_owned());
            push_envelope(out, content.get(..header_length(content)).unwrap_or_default());
        }
        Item::Structure { extended } => {
            say(if *extended { "BODYSTRUCTURE " } else { "BODY " }.to_owned());
            push_structure(out, content, parsed(), *extended);
        }
        Item::Section { section, name, .. } => {
            say(format!("{} ", name.map_or_else(|| section.print(), str::to_owned)));
            match section.cut(content, parsed) {
                Some(octets) => push_literal(out, &octets),
                None => push_nstring(out, None),
            }
        }
    }
}

impl Job for Fetch {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        match answer {
            Answer::Messages(contents) => self.read(contents, context),
            Answer::Flagged(flagged) => self.tell(&flagged.into_iter().collect(), context),
            // The flags could not be changed, which is no reason not to show the messages.
            Answer::Failed(_) if !self.contents.is_empty() => self.tell(&HashMap::new(), context),
            other => Step::Reply(Reply::other(&other, "NONEXISTENT").news(News::NoExpunge)),
        }
    }
}

/// Octets of messages in one question, about.
const BATCH: u64 = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_parsed() {
        let check = |text: &str, count: Option<usize>| {
            let mut cursor = Cursor::new(text.as_bytes());
            let parsed = parse(&mut cursor).and_then(|(_, items)| cursor.end().map(|()| items.len()));
            assert_eq!(parsed.ok(), count, "{text}");
        };
        check(" 1 FLAGS", Some(1));
        check(" 1:* (UID BODY.PEEK[HEADER.FIELDS (From To)]<0.10> BODY)", Some(3));
        check(" 1 all", Some(4));
        check(" 1 FULL", Some(5));
        check(" 1 (RFC822 RFC822.HEADER RFC822.SIZE rfc822.text BODY[])", Some(5));
        for bad in [" 1 ()", " 1 X", " 1 (FLAGS", " 1 FLAGS UID", " 1 (ALL)", " 1"] {
            check(bad, None);
        }
    }
}
