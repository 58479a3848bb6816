//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7), STATUS (§6.3.10).

use crate::cursor::{Bad, Cursor};
use crate::job::{Context, Job, Reply, Simple, Step};
use crate::mutf7;
use crate::question::{Answer, Question};
use crate::wire::mailbox;

pub(crate) fn create(folder: &str) -> Step {
    // A trailing delimiter says that folders will be below it (§6.3.3): all of ours may have some.
    let folder = folder.strip_suffix('/').unwrap_or(folder);
    if !mutf7::is_canonical(folder) {
        return Step::Reply(Reply::no("the name is not modified UTF-7").code("CANNOT"));
    }
    Step::Ask(Question::Create(folder.to_owned()), Box::new(Simple { done: "created" }))
}

pub(crate) fn delete(folder: String) -> Step {
    if folder == "INBOX" {
        return Step::Reply(Reply::no("INBOX stays").code("CANNOT"));
    }
    Step::Ask(Question::Delete(folder.clone()), Box::new(Deleting { folder }))
}

pub(crate) fn rename(from: String, to: &str) -> Step {
    let to = to.strip_suffix('/').unwrap_or(to).to_owned();
    if !mutf7::is_canonical(&to) {
        return Step::Reply(Reply::no("the name is not modified UTF-7").code("CANNOT"));
    }
    let renaming = Renaming { from: from.clone(), to: to.clone() };
    Step::Ask(Question::Rename { from, to }, Box::new(renaming))
}

pub(crate) fn subscribe(folder: String, subscribed: bool) -> Step {
    Step::Ask(Question::Subscribe { folder, subscribed }, Box::new(Simple { done: "done" }))
}

/// A client that removes the folder it has open has none open afterwards; nothing in RFC 3501 §6.3.4 forbids it.
#[derive(Debug)]
struct Deleting {
    folder: String,
}

impl Job for Deleting {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        if answer == Answer::Done {
            context.view.take_if(|view| view.folder == self.folder);
        }
        Box::new(Simple { done: "deleted" }).answered(answer, context)
    }
}

/// A client that renames the folder it has open goes on in it: UIDs and UIDVALIDITY stay.
#[derive(Debug)]
struct Renaming {
    from: String,
    to: String,
}

impl Job for Renaming {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        if let (Answer::Done, Some(view)) = (&answer, &mut context.view)
            && let Some(renamed) = renamed(&view.folder, &self.from, &self.to)
        {
            view.folder = renamed;
        }
        Box::new(Simple { done: "renamed" }).answered(answer, context)
    }
}

/// The new name of a folder when `from` is renamed to `to`: itself, or one above it. INBOX stays (§6.3.5).
fn renamed(folder: &str, from: &str, to: &str) -> Option<String> {
    let below = folder.strip_prefix(from).filter(|_| from != "INBOX")?;
    (below.is_empty() || below.starts_with('/')).then(|| format!("{to}{below}"))
}

/// One number of STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
}

/// `status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"`
pub(crate) fn parse_status(cursor: &mut Cursor<'_>) -> Result<(String, Vec<StatusItem>), Bad> {
    cursor.space()?;
    let folder = cursor.mailbox()?;
    cursor.space()?;
    let items = cursor.list(|cursor| {
        let name = cursor.atom()?;
        let known = ITEMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, item)| *item).ok_or("a status item is unknown")
    })?;
    if items.is_empty() { Err("no status item is named") } else { Ok((folder, items)) }
}

const ITEMS: [(&str, StatusItem); 5] = [
    ("MESSAGES", StatusItem::Messages),
    ("RECENT", StatusItem::Recent),
    ("UIDNEXT", StatusItem::UidNext),
    ("UIDVALIDITY", StatusItem::UidValidity),
    ("UNSEEN", StatusItem::Unseen),
];

pub(crate) fn status(folder: String, items: Vec<StatusItem>) -> Step {
    Step::Ask(Question::Status(folder.clone()), Box::new(Status { folder, items }))
}

#[derive(Debug)]
struct Status {
    folder: String,
    items: Vec<StatusItem>,
}

impl Job for Status {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let counts = match answer {
            Answer::Status(counts) => counts,
            other => return Step::Reply(Reply::other(&other, "NONEXISTENT")),
        };
        let shown = self.items.iter().map(|item| match item {
            StatusItem::Messages => format!("MESSAGES {}", counts.messages),
            StatusItem::Recent => format!("RECENT {}", counts.recent),
            StatusItem::UidNext => format!("UIDNEXT {}", counts.uid_next),
            StatusItem::UidValidity => format!("UIDVALIDITY {}", counts.uid_validity),
            StatusItem::Unseen => format!("UNSEEN {}", counts.unseen),
        });
        let shown = shown.collect::<Vec<_>>().join(" ");
        context.untagged(&format!("STATUS {} ({shown})", mailbox(&self.folder)));
        Step::Reply(Reply::ok("done"))
    }
}
