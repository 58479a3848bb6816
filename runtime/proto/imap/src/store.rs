//! STORE and UID STORE (RFC 3501 §6.4.6).

use postkiln_mail::Flags;

use crate::cursor::{Bad, Cursor};
use crate::job::{Context, Job, News, Reply, Step};
use crate::question::{Answer, FlagChange, Question};
use crate::sequence::SequenceSet;
use crate::view::{Numbers, flags_line};

/// The arguments of STORE.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Store {
    set: SequenceSet,
    change: FlagChange,
    silent: bool,
    flags: Flags,
}

/// `store = "STORE" SP sequence-set SP ["+" / "-"] "FLAGS" [".SILENT"] SP (flag-list / (flag *(SP flag)))`
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Store, Bad> {
    cursor.space()?;
    let set = SequenceSet::parse(cursor)?;
    cursor.space()?;
    let change = match (cursor.take(b'+'), cursor.take(b'-')) {
        (true, false) => FlagChange::Add,
        (false, true) => FlagChange::Remove,
        (false, false) => FlagChange::Replace,
        (true, true) => return Err("a store item is unknown"),
    };
    let silent = match (cursor.word("FLAGS"), cursor.word("FLAGS.SILENT")) {
        (true, _) => false,
        (_, true) => true,
        _ => return Err("a store item is unknown"),
    };
    cursor.space()?;
    let flags = if cursor.peek() == Some(b'(') {
        flag_list(cursor)?
    } else {
        let mut flags = flag(cursor)?;
        while cursor.take(b' ') {
            flags = flags.with(flag(cursor)?);
        }
        flags
    };
    Ok(Store { set, change, silent, flags })
}

/// `flag-list = "(" [flag *(SP flag)] ")"`
pub(crate) fn flag_list(cursor: &mut Cursor<'_>) -> Result<Flags, Bad> {
    Ok(cursor.list(flag)?.into_iter().fold(Flags::none(), Flags::with))
}

/// `flag = "\" atom / atom`. Keywords are taken and not kept, as PERMANENTFLAGS says; `\Recent` cannot be changed.
fn flag(cursor: &mut Cursor<'_>) -> Result<Flags, Bad> {
    if !cursor.take(b'\\') {
        cursor.atom()?;
        return Ok(Flags::none());
    }
    Ok(Flags::named(&format!("\\{}", cursor.atom()?)).unwrap_or_default())
}

pub(crate) fn store(store: &Store, numbers: Numbers, context: &Context) -> Step {
    let Some(view) = &context.view else { return Step::Reply(Reply::bad("no folder is open")) };
    if view.read_only {
        return Step::Reply(Reply::no("the folder is open for reading only"));
    }
    let places = match view.resolve(&store.set, numbers) {
        Ok(places) => places,
        Err(bad) => return Step::Reply(Reply::bad(bad)),
    };
    if places.is_empty() {
        return Step::Reply(Reply::ok("nothing to do").news(News::NoExpunge));
    }
    let question = Question::Flag { messages: view.at(&places), change: store.change, flags: store.flags };
    Step::Ask(question, Box::new(Waiting { silent: store.silent, numbers }))
}

#[derive(Debug)]
struct Waiting {
    silent: bool,
    numbers: Numbers,
}

impl Job for Waiting {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let flagged = match answer {
            Answer::Flagged(flagged) => flagged,
            other => return Step::Reply(Reply::other(&other, "NONEXISTENT").news(News::NoExpunge)),
        };
        let mut out = Vec::new();
        for (uid, flags) in flagged {
            let Some(view) = &mut context.view else { break };
            let Some(at) = view.note_flags(uid, flags) else { continue };
            if let Some(entry) = view.entries.get(at).filter(|_| !self.silent) {
                out.extend_from_slice(flags_line(at, entry, self.numbers).as_bytes());
            }
        }
        context.send(out);
        let news = if self.numbers == Numbers::Uid { News::All } else { News::NoExpunge };
        Step::Reply(Reply::ok("stored").news(news))
    }
}
