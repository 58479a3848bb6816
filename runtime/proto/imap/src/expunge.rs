//! EXPUNGE (RFC 3501 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1).

use std::collections::HashSet;

use postkiln_mail::Flags;

use crate::job::{Context, Job, News, Reply, Step};
use crate::question::{Answer, Question};
use crate::sequence::SequenceSet;
use crate::view::Numbers;

/// Removes what is marked deleted, of `among` where a set is given.
pub(crate) fn expunge(among: Option<&SequenceSet>, context: &Context) -> Step {
    let Some(view) = &context.view else { return Step::Reply(Reply::bad("no folder is open")) };
    if view.read_only {
        return Step::Reply(Reply::no("the folder is open for reading only"));
    }
    let largest = view.largest(Numbers::Uid);
    let deleted = view.entries.iter().filter(|entry| entry.flags.contains(Flags::DELETED));
    let uids: Vec<u32> =
        deleted.map(|entry| entry.uid).filter(|uid| among.is_none_or(|set| set.contains(*uid, largest))).collect();
    if uids.is_empty() {
        return Step::Reply(Reply::ok("nothing to do"));
    }
    Step::Ask(Question::Expunge { uids }, Box::new(Waiting))
}

#[derive(Debug)]
struct Waiting;

impl Job for Waiting {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let gone: HashSet<u32> = match answer {
            Answer::Expunged(uids) => uids.into_iter().collect(),
            other => return Step::Reply(Reply::other(&other, "NONEXISTENT")),
        };
        let mut out = Vec::new();
        if let Some(view) = &mut context.view {
            view.expunge(|uid| gone.contains(&uid), &mut out);
        }
        context.send(out);
        Step::Reply(Reply::ok("expunged").news(News::Fresh))
    }
}
