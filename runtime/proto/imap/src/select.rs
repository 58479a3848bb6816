//! SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2), CLOSE (§6.4.2), UNSELECT (RFC 3691).

use postkiln_mail::Flags;

use crate::job::{Context, Job, News, Reply, Step};
use crate::question::{Answer, Question};
use crate::view::View;

pub(crate) fn select(folder: String, read_only: bool, context: &mut Context) -> Step {
    // The folder that was open is left now, whatever the outcome.
    context.view = None;
    let question = Question::Select { folder: folder.clone(), read_only };
    Step::Ask(question, Box::new(Select { folder, read_only }))
}

#[derive(Debug)]
struct Select {
    folder: String,
    read_only: bool,
}

impl Job for Select {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let snapshot = match answer {
            Answer::Selected(snapshot) => snapshot,
            other => return Step::Reply(Reply::other(&other, "NONEXISTENT").news(News::None)),
        };
        let view = View::new(self.folder, self.read_only, snapshot);
        let flags: Vec<&str> = Flags::NAMES.iter().map(|(_, name)| *name).collect();
        let flags = flags.join(" ");
        let permanent = if self.read_only { "" } else { flags.as_str() };
        let unseen = view.entries.iter().position(|entry| !entry.flags.contains(Flags::SEEN));
        context.untagged(&format!("{} EXISTS", view.count()));
        context.untagged(&format!("{} RECENT", view.recent()));
        context.untagged(&format!("FLAGS ({flags})"));
        context.untagged(&format!("OK [PERMANENTFLAGS ({permanent})] flags that stay"));
        if let Some(at) = unseen {
            context.untagged(&format!("OK [UNSEEN {}] first unseen", at + 1));
        }
        context.untagged(&format!("OK [UIDVALIDITY {}] UIDs valid", view.uid_validity));
        context.untagged(&format!("OK [UIDNEXT {}] next UID", view.uid_next));
        let code = if self.read_only { "READ-ONLY" } else { "READ-WRITE" };
        context.view = Some(view);
        Step::Reply(Reply::ok("folder is open").code(code).news(News::None))
    }
}

/// CLOSE removes what is marked deleted and says nothing about it; UNSELECT does not.
pub(crate) fn close(expunge: bool, context: &mut Context) -> Step {
    let Some(view) = context.view.take() else { return Step::Reply(Reply::bad("no folder is open")) };
    if expunge && !view.read_only {
        let question = Question::Expunge { uid_validity: view.uid_validity, among: None };
        return Step::Ask(question, Box::new(Close { expunging: true }));
    }
    Step::Ask(Question::Unselect, Box::new(Close { expunging: false }))
}

#[derive(Debug)]
struct Close {
    expunging: bool,
}

impl Job for Close {
    fn answered(self: Box<Self>, _: Answer, _: &mut Context) -> Step {
        // The folder is left in any case: the client has no way to hear of what could not be removed.
        if self.expunging {
            Step::Ask(Question::Unselect, Box::new(Self { expunging: false }))
        } else {
            Step::Reply(Reply::ok("folder is closed").news(News::None))
        }
    }
}
